#include "tuner/in_engine.h"

#include <algorithm>

#include "tuner/quantile.h"

namespace burnish {

namespace {

constexpr int least_rounds = 5, most_rounds = 12;  // each runs both engines
constexpr double tie = 0.002;                      // engines closer than this are as fast
constexpr double near = 1.2;                       // who is slower alone by more gets no trial

/// A candidate to take the place of a problem's present one.
struct Trial {
  size_t problem;
  std::string tactic;
};

/// In the order of the time that their problems take, then of their own.
std::vector<Trial> trials_of(std::span<const Problem> problems, std::span<const Timing> timings) {
  struct Ranked {
    uint64_t share, alone;
    Trial trial;
  };
  std::vector<Ranked> ranked;
  for (size_t i = 0; i < timings.size(); ++i) {
    if (!timings[i].timed()) continue;
    const uint64_t best =
        std::ranges::find(timings[i].candidates, timings[i].winner, &Timing::Candidate::tactic)->nanoseconds;
    for (const Timing::Candidate& c : timings[i].candidates)
      if (c.nanoseconds && static_cast<double>(c.nanoseconds) <= near * static_cast<double>(best))
        ranked.push_back({best * problems[i].nodes, c.nanoseconds, {i, c.tactic}});
  }
  std::ranges::stable_sort(ranked, [](const Ranked& a, const Ranked& b) {
    return std::tuple(b.share, a.trial.problem, a.alone) < std::tuple(a.share, b.trial.problem, b.alone);
  });
  std::vector<Trial> trials;
  for (Ranked& r : ranked) trials.push_back(std::move(r.trial));
  return trials;
}

/// Whether `a` is faster than `b`, by more than chance and more than a tie. Once it is not ahead it gets no more rounds: most
/// challengers are as fast as the champion, and telling that for certain would take the longest.
Result<bool> is_faster(EngineRun& a, EngineRun& b) {
  std::vector<double> of_a, of_b;
  for (int round = 0; round < most_rounds; ++round) {
    of_a.push_back(TRY(a.time()));
    of_b.push_back(TRY(b.time()));
    if (round + 1 < least_rounds) continue;
    if (quantile(of_a, 0.75) * (1 + tie) < quantile(of_b, 0.25)) return true;
    if (quantile(of_a, 0.5) >= quantile(of_b, 0.5)) return false;
  }
  return quantile(of_a, 0.5) * (1 + tie) < quantile(of_b, 0.5);
}

/// The fastest engine so far, and those that challenge it.
class Champion {
 public:
  Champion(const LoadEngine& load, std::vector<Timing> timings) : load_(load), timings_(std::move(timings)) {}

  /// False where engines cannot be timed.
  Result<bool> begin() {
    run_ = TRY(load(timings_));
    return run_ != nullptr;
  }
  /// False where the two cannot be compared: they do not fit into memory at once, say.
  Result<bool> challenge(const std::vector<Timing>& timings) {
    if (timings == timings_) return true;
    std::unique_ptr<EngineRun> run = TRY(load(timings));
    if (!run) return false;
    if (!TRY(is_faster(*run, *run_))) return true;
    run_ = std::move(run);
    timings_ = timings;
    return true;
  }
  const std::vector<Timing>& timings() const { return timings_; }

 private:
  Result<std::unique_ptr<EngineRun>> load(std::span<const Timing> timings) const {
    constexpr Code harmless[] = {Code::out_of_memory, Code::unsupported, Code::invalid_argument};
    auto run = load_(timings);
    if (!run && std::ranges::find(harmless, run.error().code()) != std::end(harmless))
      return std::unique_ptr<EngineRun>();
    return run;
  }
  const LoadEngine& load_;
  std::vector<Timing> timings_;
  std::unique_ptr<EngineRun> run_;
};

}  // namespace

Result<> settle_in_engine(std::span<const Problem> problems, std::vector<Timing>& timings,
                          const LoadEngine& load, const TuneOptions& options) {
  const auto is_late = [&] { return options.clock() >= options.until; };
  std::vector<Trial> trials = trials_of(problems, timings);
  trials.resize(std::min(trials.size(), options.most_trials));
  if (trials.empty() || is_late()) return {};
  std::vector<Timing> defaults = timings;
  for (size_t i = 0; i < defaults.size(); ++i) defaults[i].winner = problems[i].candidates.front().tactic;
  Champion champion(load, std::move(defaults));
  if (!TRY(champion.begin())) return {};
  if (!TRY(champion.challenge(timings))) return {};
  const int total = static_cast<int>(trials.size());
  for (int k = 0; k < total && !is_late(); ++k) {
    TRY(options.progress(k, total));
    std::vector<Timing> challenger = champion.timings();
    challenger[trials[k].problem].winner = trials[k].tactic;
    TRY(champion.challenge(challenger));
  }
  timings = champion.timings();
  return options.progress(total, total);
}

}  // namespace burnish
