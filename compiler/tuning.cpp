#include "compiler/tuning.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "tuner/in_engine.h"
#include "tuner/timing_cache.h"
#include "tuner/tuner.h"

namespace burnish {

namespace {

using CacheMode = TuningOptions::CacheMode;

/// What a level of optimisation does.
struct Level {
  size_t most_candidates;  // of a node
  double most_cost;        // of a candidate, by estimate, relative to the least
  int most_rounds;
  size_t most_trials;  // of engines
};
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Level levels[] = {{1, 1, 0, 0},   {1, 1, 0, 0},    {3, 1.5, 8, 8},
                            {6, 3, 16, 32}, {16, 3, 32, 96}, {1000, infinity, 64, 1000}};
// How much of the budget is over when libraries prepare no more, when no more candidates are compiled, and when the engine's turn comes.
constexpr double planning = 0.25, compiling = 0.5, alone = 0.75;

/// The level's, with what the caller limits.
Level level_of(const TuningOptions& options) {
  Level level = levels[options.level];
  if (options.most_candidates > 0)
    level.most_candidates = std::min(level.most_candidates, options.most_candidates);
  return level;
}

size_t candidate_count(const std::vector<Tactic>& by_cost, const Level& level) {
  size_t count = 1;
  while (count < by_cost.size() && count < level.most_candidates &&
         by_cost[count].cost <= level.most_cost * by_cost[0].cost)
    ++count;
  return count;
}

bool knows(const Timing& timing, const Tactic& tactic) {
  return std::ranges::find(timing.candidates, tactic.name, &Timing::Candidate::tactic) !=
         timing.candidates.end();
}

bool knows(const Timing& timing, const Library& library) {
  return std::ranges::any_of(timing.candidates,
                             [&](const Timing::Candidate& c) { return library.owns(c.tactic); });
}

void use_table(Graph& graph, const std::shared_ptr<DimTable>& dims) {
  graph.dims = dims;
  for (Node& node : graph.nodes)
    for (Graph& region : node.regions) use_table(region, dims);
}

/// Lowers a copy that has a table of extents to itself: trying tactics adds to the table, and the order in which extents came
/// to be shows in a plan.
Result<Lowered> lower_copy(const Graph& graph, const LowerOptions& options) {
  Graph copy = graph;
  use_table(copy, std::make_shared<DimTable>(*graph.dims));
  return lower(copy, options);
}

std::string kernels(size_t count) { return std::to_string(count) + (count == 1 ? " kernel" : " kernels"); }

bool times_kernels(int level) { return level >= 2; }

/// The decisions of one build, and what is still to be timed for them.
class Tuning {
 public:
  explicit Tuning(TuningContext& context) : context_(context), level_(level_of(context.options)) {}

  Result<Lowered> lower(Graph& graph, LowerOptions options) {
    options.on_sources = [this](std::span<const std::string> sources) {
      if (problems_.empty() && announced_.empty() && !is_lacking()) context_.compiler.begin(sources);
    };
    if (!times_kernels(context_.options.level)) return burnish::lower(graph, options);
    TRY(read_cache());
    open_device();
    options.decide = [&](const NodeChoice& choice) { return decide(choice); };
    options.forms = &forms_;
    Lowered lowered = TRY(lower_copy(graph, options));
    if (failure_) return *std::move(failure_);
    if (!announced_.empty() && take_device()) {
      TRY(prepare_libraries());
      lowered = TRY(lower_copy(graph, options));
    }
    if (is_lacking()) return lacks();
    if (problems_.empty() || !take_device()) {
      say_what_is_estimated();
      return lowered;
    }
    TRY(time(graph, options));
    TRY(write_cache());
    return lower_copy(graph, options);
  }

 private:
  const TuningOptions& options() const { return context_.options; }
  bool may_time() const { return options().mode == CacheMode::append || options().mode == CacheMode::write; }

  double budget() const { return options().budget > 0 ? options().budget : infinity; }
  /// When it began to be spent: when this was first asked.
  double begin() {
    if (!begin_) begin_ = context_.clock();
    return *begin_;
  }

  Result<> read_cache() {
    const std::string& path = options().cache;
    if (path.empty() || options().mode == CacheMode::write) return {};
    cache_ = TRY(may_time() ? TimingCache::read_if_there(path) : TimingCache::read(path));
    return {};
  }

  void open_device() {
    auto device = context_.open(context_.compiler.backend().target());
    if (device) device_ = *std::move(device);
    else why_no_device_ = device.error().what();
  }

  /// Now that something is to be timed.
  bool take_device() {
    const Result<> taken = device_->open();
    if (!taken) why_no_device_ = taken.error().what();
    return static_cast<bool>(taken);
  }

  TimingCache::Where where(const NodeChoice& choice) const {
    return {choice.key, device_ ? device_->name() : std::string(), context_.version};
  }

  /// What `entry` says is fastest of what the choice allows; it may have been timed with other libraries.
  static const std::string* winner_of(const Timing& timing, const NodeChoice& choice) {
    if (choice.allows(timing.winner)) return &timing.winner;
    const Timing::Candidate* best = nullptr;
    for (const Timing::Candidate& c : timing.candidates)
      if (c.nanoseconds != 0 && choice.allows(c.tactic) && (!best || c.nanoseconds < best->nanoseconds))
        best = &c;
    return best ? &best->tactic : nullptr;
  }

  /// Whether `entry` says what is to be known; what could be timed now must have been.
  bool answers(const TimingCache::Entry* entry, const NodeChoice& choice, size_t count) {
    if (!entry || !winner_of(entry->second, choice)) return false;
    const Timing& timing = entry->second;
    if (tuned_ || !device_ || !may_time()) return true;
    return timing.timed() &&
           std::ranges::all_of(std::span(choice.tactics).first(count),
                               [&](const Tactic& t) { return knows(timing, t); }) &&
           std::ranges::all_of(choice.libraries,
                               [&](Library* l) { return knows(timing, *l) || !can_ask(*l); });
  }

  /// Opens a library that is needed for the first time; of one that cannot be opened the user is told once.
  bool can_ask(Library& library) {
    const auto [it, fresh] = can_ask_.try_emplace(&library, false);
    if (!fresh) return it->second;
    Result<> opened = library.open();
    it->second = static_cast<bool>(opened);
    if (!opened && options().libraries_required) failure_ = std::move(opened).error();
    else if (!opened)
      context_.note(std::string(library.name()) + " is not among the candidates: " + opened.error().cause());
    return it->second;
  }

  Decision decide(const NodeChoice& choice) {
    const size_t count = candidate_count(choice.tactics, level_);
    Decision decision = decide_by_estimate(choice.node, choice.tactics);
    decision.candidates.insert(decision.candidates.end(), choice.refusals.begin(), choice.refusals.end());
    if (count < 2 && choice.libraries.empty()) return decision;
    const TimingCache::Entry* entry = cache_.find(where(choice));
    if (answers(entry, choice, count)) return decided(std::move(decision), choice, *entry);
    for (const Library* library : choice.libraries)
      decision.candidates.push_back(
          {.tactic = std::string(library->name()), .refused = "it counts only where it is timed"});
    const auto [asked, fresh] = asked_.try_emplace(choice.key, problems_.size());
    const bool is_timed = device_ && may_time() && !tuned_;
    if (!fresh && is_timed) ++problems_[asked->second].nodes;
    if (!fresh) return decision;
    if (missing_++ == 0) first_missing_ = choice.node;
    if (is_timed) collect(choice, count);
    return decision;
  }

  void collect(const NodeChoice& choice, size_t count) {
    std::vector<Library*> asked;
    for (Library* library : choice.libraries)
      if (can_ask(*library)) asked.push_back(library);
    if (!prepared_)
      for (Library* library : asked) {
        choice.announce(count, *library);
        if (std::ranges::find(announced_, library) == announced_.end()) announced_.push_back(library);
      }
    problems_.push_back(choice.problem(count, prepared_ ? Libraries(asked) : Libraries()));
  }

  /// Libraries make ready all at once; the next lowering collects the problems, with what they propose.
  Result<> prepare_libraries() {
    const double until = begin() + planning * budget();
    for (Library* library : announced_)
      TRY(library->prepare(
          context_.compiler.pool(),
          [&](int done, int total) {
            return context_.compiler.report()("preparing tactics of " + std::string(library->name()), done,
                                              total);
          },
          [&] { return context_.clock() > until; }));
    prepared_ = true;
    problems_.clear();
    asked_.clear();
    missing_ = 0;
    return {};
  }

  /// The estimates, with what the cache says about them and about the tactics of libraries.
  static Decision decided(Decision decision, const NodeChoice& choice, const TimingCache::Entry& entry) {
    const auto& [where, timing] = entry;
    decision.tactic = *winner_of(timing, choice);
    if (timing.timed()) decision.timed_on = where.device;
    for (const Timing::Candidate& known : timing.candidates) {
      auto c = std::ranges::find(decision.candidates, known.tactic, &Decision::Candidate::tactic);
      if (c == decision.candidates.end()) {
        if (!choice.allows(known.tactic)) continue;
        c = decision.candidates.insert(c, {.tactic = known.tactic});
      }
      c->nanoseconds = known.nanoseconds;
      c->refused = known.refused;
    }
    return decision;
  }

  /// The problems' candidates against each other: alone, then in the engine.
  Result<> time(const Graph& graph, const LowerOptions& lowering) {
    TRY(compile_candidates(begin() + compiling * budget()));
    TuneOptions tuning{.most_rounds = level_.most_rounds,
                       .averaged = options().averaged,
                       .most_trials = level_.most_trials,
                       .until = begin() + alone * budget(),
                       .clock = context_.clock,
                       .progress = progress("timing kernels on ")};
    std::vector<Timing> timings = TRY(tune(problems_, context_.compiler.kernels(), *device_, tuning));
    keep(timings);
    tuned_ = true;
    tuning.until = begin() + budget();
    tuning.progress = progress("timing engines on ");
    const auto load = [&](std::span<const Timing> tried) { return load_engine(graph, lowering, tried); };
    TRY(settle_in_engine(problems_, timings, load, tuning));
    keep(timings);
    say_how_much(timings);
    for (const Library* library : announced_)
      if (const std::string account = library->account(); !account.empty())
        TRY(context_.compiler.report()(account, 1, 1));
    return {};
  }

  Result<> compile_candidates(double until) {
    std::vector<std::string> sources;
    for (const Problem& p : problems_)
      for (const Candidate& c : p.candidates)
        for (const ProblemLaunch& launch : c.launches) sources.push_back(launch.source);
    const std::string target(context_.compiler.backend().target());
    return context_.compiler.compile(sources, "compiling candidates for " + target,
                                     [&] { return context_.clock() > until; });
  }

  std::function<Result<>(int, int)> progress(const char* stage) {
    return [this, stage](int done, int total) {
      return context_.compiler.report()(stage + device_->name(), done, total);
    };
  }

  /// What the cache holds is what the next lowering takes.
  void keep(std::span<const Timing> timings) {
    for (size_t i = 0; i < problems_.size(); ++i)
      cache_.set({problems_[i].key, device_->name(), context_.version}, timings[i]);
  }

  Result<std::unique_ptr<EngineRun>> load_engine(const Graph& graph, const LowerOptions& lowering,
                                                 std::span<const Timing> timings) {
    keep(timings);
    Lowered lowered = TRY(lower_copy(graph, lowering));
    std::vector<std::vector<std::byte>> code = TRY(context_.compiler.binaries(lowered.sources));
    EngineContents engine;
    engine.targets.push_back({std::move(lowered.plan), std::move(lowered.constants), std::move(code)});
    const auto usual = [&](Dim symbol) { return lowering.optimum(*graph.dims, symbol); };
    std::vector<Shape> inputs;
    for (ValueId v : graph.inputs) {
      Shape& shape = inputs.emplace_back();
      for (Dim d : graph.values[v].type.shape) shape.push_back(graph.dims->evaluate(d, usual));
    }
    return device_->load(engine, inputs);
  }

  void say_how_much(const std::vector<Timing>& timings) {
    const size_t untimed =
        timings.size() - static_cast<size_t>(std::ranges::count_if(timings, &Timing::timed));
    std::string text = "timed " + kernels(timings.size() - untimed) + " on " + device_->name();
    if (untimed > 0)
      text += "; for " + std::to_string(untimed) + " more there was no time or memory: by estimate";
    if (!options().cache.empty()) text += "; times are in " + options().cache;
    context_.note(text);
  }

  /// Somebody else may have added to it meanwhile.
  Result<> write_cache() {
    if (options().cache.empty()) return {};
    if (options().mode == CacheMode::append) {
      TimingCache all = TRY(TimingCache::read_if_there(options().cache));
      all.merge(cache_);
      return all.write(options().cache);
    }
    return cache_.write(options().cache);
  }

  void say_what_is_estimated() const {
    if (missing_ == 0) return;
    context_.note(may_time()
                      ? kernels(missing_) + " chosen by estimate, not timed: " + why_no_device_
                      : "the timing cache lacks " + kernels(missing_) + ", chosen by estimate instead");
  }

  bool is_lacking() const { return missing_ > 0 && options().mode == CacheMode::strict; }
  Error lacks() const {
    return Error(Code::invalid_argument, "the timing cache '" + options().cache + "' lacks " +
                                             kernels(missing_) + ", the first that of " + first_missing_)
        .remedy("build with --timing-cache-mode append where the GPU is, then again with this cache");
  }

  ConstantForms forms_;  // of all the lowerings
  TuningContext& context_;
  const Level level_;
  TimingCache cache_;
  std::unique_ptr<TimingDevice> device_;
  std::string why_no_device_;
  std::vector<Problem> problems_;
  std::map<std::string, size_t>
      asked_;  // keys that the cache had no answer to, and their places in problems_
  size_t missing_ = 0;
  std::string first_missing_;
  bool tuned_ = false;
  bool prepared_ = false;             // libraries are, for the nodes that were announced
  std::vector<Library*> announced_;   // to whom nodes were
  std::optional<double> begin_;       // of the budget
  std::map<Library*, bool> can_ask_;  // those that were needed
  std::optional<Error> failure_;      // of a library that is required
};

}  // namespace

Result<Lowered> lower_as_decided(Graph& graph, LowerOptions options, int level,
                                 std::span<const Decision> decisions) {
  if (!times_kernels(level)) return lower(graph, options);
  ConstantForms forms;
  options.forms = &forms;
  options.decide = [&](const NodeChoice& choice) {
    const bool known = choice.number < decisions.size() && decisions[choice.number].node == choice.node;
    return known ? decisions[choice.number] : decide_by_estimate(choice.node, choice.tactics);
  };
  return lower_copy(graph, options);
}

Result<Lowered> lower_tuned(Graph& graph, LowerOptions options, TuningContext& context) {
  return Tuning(context).lower(graph, std::move(options));
}

}  // namespace burnish
