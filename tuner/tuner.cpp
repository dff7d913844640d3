#include "tuner/tuner.h"

#include <algorithm>
#include <cmath>

#include "tuner/quantile.h"

namespace burnish {

namespace {

constexpr int least_rounds = 3;
constexpr double tie = 0.01;  // times closer than this are the same

struct Racer {
  size_t candidate;
  std::vector<double> samples;
  double median() const { return quantile(samples, 0.5); }
};

bool is_slower(const Racer& other, const Racer& leader) {
  return quantile(other.samples, 0.25) > quantile(leader.samples, 0.75) * (1 + tie);
}

/// The candidates of one problem, timed in turns until one is ahead.
class Race {
 public:
  Race(const Problem& problem, TimingRun& run, const TuneOptions& options)
      : problem_(problem), run_(run), options_(options) {}

  Result<Timing> decide() {
    TRY(admit_all());
    std::vector<Racer*> live;
    for (Racer& r : racers_) live.push_back(&r);
    const auto goes_on = [&](int round) {
      return round < least_rounds ? !live.empty() : live.size() > 1 && round < options_.most_rounds;
    };
    for (int round = 0; goes_on(round) && !is_late(); ++round) {
      for (Racer* r : live) r->samples.push_back(TRY(average_time(r->candidate)));
      if (round + 1 < least_rounds) continue;
      const Racer& leader = **std::ranges::min_element(live, {}, &Racer::median);
      std::erase_if(live, [&](const Racer* r) { return is_slower(*r, leader); });
    }
    return result();
  }

 private:
  bool is_late() const { return options_.clock() >= options_.until; }

  Result<double> average_time(size_t candidate) {
    double sum = 0;
    for (int i = 0; i < options_.averaged; ++i) sum += TRY(named(candidate, run_.time(candidate)));
    return sum / options_.averaged;
  }

  /// A GPU that a candidate has failed on does no more work for this process.
  template <class T>
  Result<T> named(size_t candidate, Result<T> result) const {
    if (result) return result;
    const Candidate& c = problem_.candidates[candidate];
    return std::move(result.error())
        .during("running its candidate '" + c.tactic + "'")
        .remedy(c.routines.empty() ? "build with --optimization-level 1, which times nothing"
                                   : "build without that library (--libraries)");
  }

  Result<> admit_all() {
    for (size_t i = 0; i < problem_.candidates.size(); ++i) {
      const Verdict verdict = TRY(named(i, run_.admit(i)));
      timing_.candidates.push_back({problem_.candidates[i].tactic, 0, verdict.reason()});
      if (verdict) racers_.push_back({i, {}});
      else if (i == 0) break;  // nothing to compare the others with
    }
    for (const auto& [tactic, reason] : problem_.refused) timing_.candidates.push_back({tactic, 0, reason});
    return {};
  }

  /// The fastest; of those as fast that with the least workspace, then the first by name.
  Timing result() {
    timing_.winner = problem_.candidates.front().tactic;
    std::erase_if(racers_, [](const Racer& r) { return r.samples.size() < least_rounds; });
    if (racers_.empty()) return timing_;
    for (const Racer& r : racers_)
      timing_.candidates[r.candidate].nanoseconds =
          std::max<uint64_t>(1, static_cast<uint64_t>(std::llround(r.median() * 1000)));
    const double best = std::ranges::min_element(racers_, {}, &Racer::median)->median();
    std::erase_if(racers_, [&](const Racer& r) { return r.median() > best * (1 + tie); });
    const auto preference = [&](const Racer& r) {
      const Candidate& c = problem_.candidates[r.candidate];
      return std::pair(c.workspace, c.tactic);
    };
    timing_.winner = problem_.candidates[std::ranges::min_element(racers_, {}, preference)->candidate].tactic;
    return timing_;
  }

  const Problem& problem_;
  TimingRun& run_;
  const TuneOptions& options_;
  std::vector<Racer> racers_;
  Timing timing_;
};

Timing untimed(const Problem& problem) {
  Timing timing{.winner = problem.candidates.front().tactic};
  for (const Candidate& c : problem.candidates) timing.candidates.push_back({c.tactic, 0, {}});
  return timing;
}

bool is_compiled(const Problem& problem, const CompiledKernels& kernels) {
  for (const Candidate& c : problem.candidates)
    for (const ProblemLaunch& launch : c.launches)
      if (!kernels.contains(launch.source)) return false;
  return true;
}

Result<Timing> tune_one(const Problem& problem, const CompiledKernels& kernels, TimingDevice& device,
                        const TuneOptions& options) {
  if (options.clock() >= options.until || !is_compiled(problem, kernels)) return untimed(problem);
  auto run = device.prepare(problem, kernels);
  if (!run && run.error().code() == Code::out_of_memory) return untimed(problem);
  if (!run) return std::move(run).error();
  return Race(problem, **run, options).decide();
}

}  // namespace

Result<std::vector<Timing>> tune(std::span<const Problem> problems, const CompiledKernels& kernels,
                                 TimingDevice& device, const TuneOptions& options) {
  std::vector<Timing> timings;
  for (const Problem& problem : problems) {
    TRY(options.progress(static_cast<int>(timings.size()), static_cast<int>(problems.size())));
    auto timing = tune_one(problem, kernels, device, options);
    if (!timing) return std::move(timing).error().during("timing kernels for " + problem.node);
    timings.push_back(*std::move(timing));
  }
  TRY(options.progress(static_cast<int>(timings.size()), static_cast<int>(problems.size())));
  return timings;
}

}  // namespace burnish
