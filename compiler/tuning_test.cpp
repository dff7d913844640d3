#include "compiler/tuning.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <set>

#include "ir/text.h"
#include "tuner/timing_cache.h"

namespace burnish {
namespace {

// Each matrix product has four tactics; the estimates speak for "a".
class Choosy final : public Backend {
 public:
  std::string_view target() const override { return "fake"; }
  Verdict accepts(const Graph&, const Node&) const override { return Verdict::yes(); }
  Verdict describe(KernelCtx& ctx) const override {
    constexpr std::array<std::string_view, 4> names = {"a", "b", "c", "d"};
    EXPECT_EQ(ctx.architecture(), target());  // on trial too, for tactics depend on it
    size_t chosen = 0;
    if (ctx.node.op->name == "MatMul") chosen = ctx.choose({{"a", 1.0}, {"b", 1.2}, {"c", 2.5}, {"d", 9.0}});
    // "b" names the quotient of the rows before that of the rest, "c" the other way round.
    const int64_t divisor[] = {2, 4, 4, 8};
    const auto part = [&](size_t axis) {
      return ctx.dims.ceil_div(ctx.in(0).shape[axis], ctx.dims.constant(divisor[chosen]));
    };
    const Dim first = part(chosen == 2 ? 1 : 0), second = part(chosen == 2 ? 0 : 1),
              one = ctx.dims.constant(1);
    KernelCall call{.grid = {ctx.dims.mul(first, second), one, one}};
    call.body << names[chosen] << " " << ctx.in_pointer(0) << ctx.out_pointer(0) << ctx.in(0).shape[0];
    if (names[chosen] == "d") call.shared_bytes = 1000;
    if (names[chosen] == "b") call.body << ctx.scratch(DType::f32, ctx.dims.constant(100));
    ctx.calls.push_back(std::move(call));
    return Verdict::yes();
  }
  Source emit(const KernelCtx&, const KernelCall& call) const override {
    Source source;
    for (const KernelText::Piece& piece : call.body.pieces)
      if (const auto* text = std::get_if<std::string>(&piece)) source.text += *text;
      else if (const auto* dim = std::get_if<Dim>(&piece)) source.arguments.push_back(*dim);
      else source.arguments.push_back(std::get<OperandPointer>(piece));
    return source;
  }
  Result<std::vector<std::byte>> compile(const std::string& text) const override {
    std::lock_guard lock(mutex);
    compiled.insert(text);
    return std::vector<std::byte>(text.size());
  }
  mutable std::mutex mutex;
  mutable std::multiset<std::string> compiled;
};

// Has two tactics for products by a matrix of three columns; both take less than any of ours.
class Quick final : public Library {
 public:
  std::string_view name() const override { return "quick"; }
  Verdict accepts(KernelCtx& ctx) const override {
    return ctx.dims.is_constant(ctx.out(0).shape[1], 3) ? Verdict::yes() : Verdict::no("not three columns");
  }
  Result<> open() override {
    ++opened;
    if (!there) return Error(Code::io_error, "it is not here");
    return {};
  }
  void announce(KernelCtx&, int most) override { asked += "announce " + std::to_string(most) + ", "; }
  Result<> prepare(ThreadPool&, const std::function<Result<>(int, int)>& progress,
                   const std::function<bool()>& late) override {
    asked += "prepare, ";
    left = late();
    TRY(progress(0, 1));
    now += seconds;
    return {};
  }
  std::string account() const override { return "quick was asked"; }
  Result<std::vector<std::string>> tactics(KernelCtx&, int) override {
    asked += "tactics, ";
    if (left) return Error(Code::cancelled, "there was no time");
    return std::vector<std::string>{"quick 1", "quick 2"};
  }
  Verdict describe(KernelCtx& ctx, std::string_view tactic) override {
    ctx.routines.push_back(
        {"quick", std::string(tactic), {ctx.in_pointer(0), ctx.in_pointer(1), ctx.out_pointer(0)}});
    return Verdict::yes();
  }
  int opened = 0;
  bool there = true, left = false;
  std::string asked;
  double now = 0, seconds = 0;  // the clock, and what preparing takes
};

// Takes 9 us for "a", 8 for "b", and so on: what the estimates speak against is fastest.
class Contrary final : public TimingDevice {
 public:
  Contrary(std::vector<Problem>& seen, bool busy, std::function<double(const Plan&)> engine_time)
      : seen_(seen), busy_(busy), engine_time_(std::move(engine_time)) {}
  std::string name() const override { return "Fake"; }
  Result<> open() override {
    if (busy_) return Error(Code::device_error, "somebody else has it");
    return {};
  }
  struct Run final : TimingRun {
    explicit Run(const Problem& p) : problem(p) {}
    Result<Verdict> admit(size_t) override { return Verdict::yes(); }
    Result<double> time(size_t c) override {
      const std::string& tactic = problem.candidates[c].tactic;
      return tactic.starts_with("quick") ? 3.0 - (tactic.back() - '0') : 9.0 - (tactic[0] - 'a');
    }
    const Problem& problem;
  };
  Result<std::unique_ptr<TimingRun>> prepare(const Problem& problem, const CompiledKernels&) override {
    seen_.push_back(problem);
    return std::unique_ptr<TimingRun>(new Run(problem));
  }
  struct Engine final : EngineRun {
    explicit Engine(double microseconds) : microseconds(microseconds) {}
    Result<double> time() override { return microseconds; }
    double microseconds;
  };
  Result<std::unique_ptr<EngineRun>> load(const EngineContents& engine,
                                          std::span<const Shape> inputs) override {
    if (!engine_time_) return Error(Code::unsupported, "there are kernels only");
    EXPECT_EQ(inputs.front(), Shape({16, 16}));
    EXPECT_EQ(engine.targets[0].code.size(), engine.targets[0].plan.modules.size());
    return std::unique_ptr<EngineRun>(new Engine(engine_time_(engine.targets[0].plan)));
  }

 private:
  std::vector<Problem>& seen_;
  bool busy_;
  std::function<double(const Plan&)> engine_time_;
};

constexpr std::string_view model =
    R"(graph (%x: f32[n, k], %w: f32[k, k], %v: f32[k, 3]) -> (%y) where n = input(%x, 0), k = input(%x, 1) {
  %a = MatMul(%x, %w) : f32[n, k] @"a"
  %b = MatMul(%a, %w) : f32[n, k] @"b"
  %y = MatMul(%b, %v) : f32[n, 3] @"c"
})";

class Tuned : public ::testing::Test {
 protected:
  void SetUp() override {
    path = std::filesystem::temp_directory_path() /
           ("burnish_tuning_test_" + std::to_string(getpid()) + ".timing");
    std::filesystem::remove(path);
  }
  void TearDown() override { std::filesystem::remove(path); }

  Result<Lowered> build(TuningOptions options, bool gpu = true) {
    notes.clear();
    stages.clear();
    seen.clear();
    auto graph = parse(model);
    EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause());
    Choosy backend;
    ThreadPool pool(2);
    KernelCompiler compiler(backend, pool, [&](std::string_view stage, int, int) {
      if (stages.empty() || stages.back() != stage) stages.emplace_back(stage);
      return Result<>();
    });
    TuningContext context{.options = options,
                          .compiler = compiler,
                          .version = "1",
                          .open = [&](std::string_view) -> Result<std::unique_ptr<TimingDevice>> {
                            if (!gpu) return Error(Code::device_error, "there is no GPU");
                            return std::unique_ptr<TimingDevice>(new Contrary(seen, busy, engine_time));
                          },
                          .clock = [&] { return quick.now += tick; },
                          .note = [&](const std::string& text) { notes.push_back(text); }};
    auto lowered = lower_tuned(*graph, lowering(backend), context);
    if (lowered) {
      EXPECT_TRUE(compiler.binaries(lowered->sources));
    }
    compiled = backend.compiled;
    return lowered;
  }

  LowerOptions lowering(const Backend& backend) {
    return {.backend = &backend,
            .optimum = [](const DimTable&, Dim) { return int64_t{16}; },
            .limits = limits,
            .max_branches = 3,
            .libraries = with_quick ? Libraries(libraries) : Libraries()};
  }

  /// What a refit lowers the model to, by the decisions of `plan`.
  Result<Lowered> lower_again(int level, const Plan& plan) {
    auto graph = parse(model);
    Choosy backend;
    auto lowered = lower_as_decided(*graph, lowering(backend), level, plan.decisions);
    EXPECT_TRUE(backend.compiled.empty());
    return lowered;
  }

  /// The tactics taken, by node: "abc".
  std::string tactics(TuningOptions options, bool gpu = true) {
    auto lowered = build(std::move(options), gpu);
    EXPECT_TRUE(lowered) << (lowered ? "" : lowered.error().cause());
    std::string all;
    if (lowered)
      for (const Decision& d : lowered->plan.decisions) all += d.tactic;
    return all;
  }

  using Mode = TuningOptions::CacheMode;
  Quick quick;
  Library* const libraries[1] = {&quick};
  bool with_quick = false;
  TacticLimits limits;
  std::string path;
  std::vector<Problem> seen;
  std::function<double(const Plan&)> engine_time;  // none: engines cannot be timed
  std::vector<std::string> notes, stages;
  std::multiset<std::string> compiled;
  bool busy = false;  // the GPU
  double tick = 0;    // that passes from look to look at the clock
};

std::multiset<std::string> kernels_of(const Lowered& lowered) {
  return {lowered.sources.begin(), lowered.sources.end()};
}

TEST_F(Tuned, LevelsUpToOneTimeNothing) {
  for (int level : {0, 1}) {
    const auto lowered = build({.level = level, .cache = path});
    ASSERT_TRUE(lowered);
    for (const Decision& d : lowered->plan.decisions) EXPECT_EQ(d.tactic, "a");
    EXPECT_EQ(compiled, kernels_of(*lowered));
    EXPECT_TRUE(seen.empty() && notes.empty() && !std::filesystem::exists(path));
  }
}

TEST_F(Tuned, HigherLevelsHaveMoreCandidates) {
  EXPECT_EQ(tactics({.level = 2}), "bbb");
  EXPECT_EQ(tactics({.level = 3}), "ccc");
  EXPECT_EQ(tactics({.level = 4}), "ccc");
  EXPECT_EQ(tactics({.level = 5}), "ddd");
}

TEST_F(Tuned, NoMoreCandidatesThanAllowed) {
  EXPECT_EQ(tactics({.level = 5, .most_candidates = 2}), "bbb");
  EXPECT_EQ(tactics({.level = 5, .most_candidates = 1}), "aaa");
  EXPECT_EQ(tactics({.level = 2, .most_candidates = 9}), "bbb");
}

TEST_F(Tuned, WhatIsSlowerInTheEngineIsTakenBack) {
  engine_time = [](const Plan& plan) {  // alone "d" is fastest; here it does harm at the third node
    EXPECT_EQ(plan.max_branches, 3u);   // as in the engine that comes of it
    double time = 100;
    for (const Decision& d : plan.decisions)
      time += d.node == "c" && d.tactic == "d" ? 9 : -(d.tactic[0] - 'a');
    return time;
  };
  EXPECT_EQ(tactics({.level = 5, .cache = path}), "ddc");
  engine_time = {};
  EXPECT_EQ(tactics({.level = 5, .cache = path}), "ddc");
  EXPECT_TRUE(seen.empty());
}

// "b" wants 400 bytes.
TEST_F(Tuned, NoTacticHasMoreWorkspaceThanAllowed) {
  for (const uint64_t allowed : {399, 400}) {
    limits = {.workspace = allowed};
    EXPECT_EQ(tactics({.level = 1}), "aaa");
    EXPECT_EQ(tactics({.level = 2}), allowed < 400 ? "aaa" : "bbb");
    EXPECT_EQ(tactics({.level = 5}), "ddd");
    const auto lowered = build({.level = 1});
    ASSERT_TRUE(lowered);
    std::string refused;
    for (const Decision::Candidate& c : lowered->plan.decisions.front().candidates)
      if (!c.refused.empty()) refused += c.tactic + ": " + c.refused;
    EXPECT_EQ(refused, allowed < 400 ? "b: it wants 400 bytes of workspace, and 399 are allowed" : "");
  }
}

// "d" wants 1000 bytes for a block.
TEST_F(Tuned, NoTacticHasMoreSharedMemoryThanAllowed) {
  for (const uint64_t allowed : {999, 1000}) {
    limits = {.shared = allowed};
    EXPECT_EQ(tactics({.level = 5}), allowed < 1000 ? "ccc" : "ddd");
    const auto lowered = build({.level = 1});
    ASSERT_TRUE(lowered);
    std::string refused;
    for (const Decision::Candidate& c : lowered->plan.decisions.front().candidates)
      if (!c.refused.empty()) refused += c.tactic + ": " + c.refused;
    EXPECT_EQ(refused, allowed < 1000 ? "d: it wants 1000 bytes of shared memory, and 999 are allowed" : "");
  }
}

TEST_F(Tuned, ATimingCacheDoesNotBringBackWhatWantsTooMuchWorkspace) {
  EXPECT_EQ(tactics({.level = 2, .cache = path}), "bbb");
  limits = {.workspace = 399};
  EXPECT_EQ(tactics({.level = 2, .cache = path}, false), "aaa");
}

TEST_F(Tuned, EqualProblemsAreTimedOnce) {
  const auto lowered = build({.level = 3});
  ASSERT_TRUE(lowered);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].node, "a");
  EXPECT_EQ(seen[1].node, "c");
  EXPECT_EQ(notes, std::vector<std::string>{"timed 2 kernels on Fake"});
}

TEST_F(Tuned, ProblemsHaveEveryNumberInPlace) {
  ASSERT_TRUE(build({.level = 3}));
  const Problem& p = seen.front();
  ASSERT_EQ(p.candidates.size(), 3u);
  ASSERT_EQ(p.buffers.size(), 3u);  // read, written, and the scratch of "b"
  EXPECT_EQ(p.buffers[0].bytes, 16u * 16 * 4);
  EXPECT_EQ(p.buffers[1].kind, ProblemBuffer::Kind::output);
  EXPECT_EQ(p.candidates[0].workspace, 0u);
  EXPECT_EQ(p.candidates[1].workspace, 400u);
  using Argument = ProblemLaunch::Argument;
  using enum Argument::Kind;
  EXPECT_EQ(p.candidates[1].launches[0].arguments,
            (std::vector<Argument>{{pointer, 0}, {pointer, 1}, {integer, 16}, {pointer, 2}}));
}

TEST_F(Tuned, ThePlanKeepsTheDecisions) {
  const auto lowered = build({.level = 3});
  ASSERT_TRUE(lowered);
  EXPECT_EQ(
      lowered->plan.decisions.front(),
      (Decision{"a",
                "c",
                "Fake",
                {{"a", 1000, 9000, ""}, {"b", 1200, 8000, ""}, {"c", 2500, 7000, ""}, {"d", 9000, 0, ""}}}));
}

TEST_F(Tuned, ACacheMakesTheSamePlanAgain) {
  const auto first = build({.level = 3, .cache = path});
  ASSERT_TRUE(first);
  EXPECT_EQ(notes, std::vector<std::string>{"timed 2 kernels on Fake; times are in " + path});
  busy = true;  // which does not matter
  for (Mode mode : {Mode::append, Mode::read, Mode::strict})
    for (bool gpu : {true, false}) {
      const auto again = build({.level = 3, .cache = path, .mode = mode}, gpu);
      ASSERT_TRUE(again);
      EXPECT_TRUE(seen.empty() && notes.empty());
      EXPECT_EQ(compiled, kernels_of(*again));
      EXPECT_EQ(again->plan, first->plan);
      EXPECT_EQ(again->sources, first->sources);
    }
}

TEST_F(Tuned, ADeviceThatCannotBeTakenLeavesTheEstimates) {
  busy = true;
  EXPECT_EQ(tactics({.level = 3, .cache = path}), "aaa");
  EXPECT_EQ(notes, std::vector<std::string>{"2 kernels chosen by estimate, not timed: somebody else has it"});
}

TEST_F(Tuned, ItsDecisionsMakeThePlanAgain) {
  for (with_quick = false;; with_quick = true) {
    for (const uint64_t limit : {0, 300})
      for (const int level : {0, 1, 2, 5})
        for (const bool gpu : {true, false}) {
          limits = {.workspace = limit};
          const auto first = build({.level = level}, gpu);
          ASSERT_TRUE(first) << first.error().cause();
          const auto again = lower_again(level, first->plan);
          ASSERT_TRUE(again) << again.error().cause();
          EXPECT_TRUE(again->plan == first->plan) << level << " " << limit << gpu << with_quick;
          EXPECT_EQ(again->sources, first->sources);
        }
    if (with_quick) break;
  }
}

TEST_F(Tuned, AppendTimesWhatAHigherLevelWants) {
  EXPECT_EQ(tactics({.level = 2, .cache = path}), "bbb");
  EXPECT_EQ(tactics({.level = 5, .cache = path}), "ddd");
  EXPECT_EQ(tactics({.level = 2, .cache = path}), "ddd");
  EXPECT_TRUE(seen.empty());
}

TEST_F(Tuned, ReadEstimatesWhatTheCacheLacks) {
  ASSERT_TRUE(TimingCache().write(path));
  EXPECT_EQ(tactics({.level = 3, .cache = path, .mode = Mode::read}), "aaa");
  EXPECT_EQ(notes, std::vector<std::string>{"the timing cache lacks 2 kernels, chosen by estimate instead"});
  EXPECT_EQ(TimingCache::read(path)->size(), 0u);
}

TEST_F(Tuned, StrictStopsAtWhatTheCacheLacks) {
  ASSERT_TRUE(TimingCache().write(path));
  const auto lowered = build({.level = 3, .cache = path, .mode = Mode::strict});
  ASSERT_FALSE(lowered);
  EXPECT_EQ(lowered.error().cause(), "the timing cache '" + path + "' lacks 2 kernels, the first that of a");
  EXPECT_TRUE(seen.empty());
}

TEST_F(Tuned, WriteForgetsWhatTheCacheHeld) {
  TimingCache old;
  old.set({"key", "Fake", "1"}, {"x", {{"x", 5, ""}}});
  ASSERT_TRUE(old.write(path));
  EXPECT_EQ(tactics({.level = 3, .cache = path, .mode = Mode::write}), "ccc");
  EXPECT_EQ(TimingCache::read(path)->find({"key", "Fake", "1"}), nullptr);
  EXPECT_EQ(TimingCache::read(path)->size(), 2u);
}

TEST_F(Tuned, WithoutAGpuTacticsAreEstimatedAndThatIsSaid) {
  EXPECT_EQ(tactics({.level = 3, .cache = path}, false), "aaa");
  EXPECT_EQ(notes, std::vector<std::string>{"2 kernels chosen by estimate, not timed: there is no GPU"});
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(Tuned, ALibraryIsTimedBesideOurKernels) {
  with_quick = true;
  const auto lowered = build({.level = 3});
  ASSERT_TRUE(lowered);
  const Decision& c = lowered->plan.decisions.back();
  EXPECT_EQ(c.tactic, "quick 2");
  EXPECT_EQ(c.candidates, (std::vector<Decision::Candidate>{{"a", 1000, 9000, ""},
                                                            {"b", 1200, 8000, ""},
                                                            {"c", 2500, 7000, ""},
                                                            {"d", 9000, 0, ""},
                                                            {"quick 1", 0, 2000, ""},
                                                            {"quick 2", 0, 1000, ""}}));
  const auto& call = std::get<LibraryCall>(lowered->plan.steps.back().what);
  EXPECT_EQ(call.text, "quick 2");
  EXPECT_EQ(call.operands.size(), 3u);
  EXPECT_EQ(lowered->plan.decisions.front().candidates.back(),
            (Decision::Candidate{"quick", 0, 0, "not three columns"}));
}

TEST_F(Tuned, ALibraryPreparesBeforeItIsAsked) {
  with_quick = true;
  ASSERT_TRUE(build({.level = 3}));
  EXPECT_EQ(quick.asked, "announce 3, prepare, tactics, ");
  EXPECT_EQ(stages, (std::vector<std::string>{"preparing tactics of quick", "compiling candidates for fake",
                                              "timing kernels on Fake", "quick was asked"}));
}

TEST_F(Tuned, ALibraryPreparesNothingForADeviceThatCannotBeTaken) {
  with_quick = busy = true;
  ASSERT_TRUE(build({.level = 3}));
  EXPECT_EQ(quick.asked, "announce 3, ");
}

TEST_F(Tuned, WhatALibraryTakesToPrepareIsOfTheBudget) {
  with_quick = true;
  quick.seconds = 16;
  EXPECT_EQ(tactics({.level = 3, .budget = 20}), "aaa") << "no kernel is compiled in what is left";
  EXPECT_EQ(tactics({.level = 3, .budget = 100}), "ccquick 2");
}

TEST_F(Tuned, WhatALibraryHasNoTimeForALaterBuildAsks) {
  with_quick = true;
  tick = 1;
  EXPECT_EQ(tactics({.level = 3, .cache = path, .budget = 0.5}), "aaa");
  EXPECT_TRUE(quick.left);
  tick = 0;
  EXPECT_EQ(tactics({.level = 3, .cache = path}), "ccquick 2");
}

TEST_F(Tuned, ALibraryCountsOnlyWhereItIsTimed) {
  with_quick = true;
  for (int level : {0, 1}) EXPECT_EQ(tactics({.level = level}), "aaa");
  const auto lowered = build({.level = 3}, false);
  ASSERT_TRUE(lowered);
  EXPECT_EQ(lowered->plan.decisions.back().tactic, "a");
  EXPECT_EQ(lowered->plan.decisions.back().candidates.back(),
            (Decision::Candidate{"quick", 0, 0, "it counts only where it is timed"}));
  EXPECT_EQ(quick.opened, 0);
}

TEST_F(Tuned, ABuildFromACacheOpensNoLibrary) {
  with_quick = true;
  EXPECT_EQ(tactics({.level = 3, .cache = path}), "ccquick 2");
  EXPECT_EQ(quick.opened, 1);
  for (bool gpu : {true, false}) EXPECT_EQ(tactics({.level = 3, .cache = path}, gpu), "ccquick 2");
  EXPECT_EQ(quick.opened, 1);
  with_quick = false;  // the same cache, of which the fastest kernel of ours counts
  EXPECT_EQ(tactics({.level = 3, .cache = path}), "ccc");
  EXPECT_TRUE(seen.empty());
}

TEST_F(Tuned, AppendTimesALibraryThatTheCacheKnowsNothingOf) {
  EXPECT_EQ(tactics({.level = 3, .cache = path}), "ccc");
  with_quick = true;
  EXPECT_EQ(tactics({.level = 3, .cache = path}), "ccquick 2");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].node, "c");
}

TEST_F(Tuned, ALibraryThatIsNotHere) {
  with_quick = true;
  quick.there = false;
  EXPECT_EQ(tactics({.level = 3, .cache = path}), "ccc");
  EXPECT_EQ(notes.front(), "quick is not among the candidates: it is not here");
  EXPECT_EQ(tactics({.level = 3, .cache = path}), "ccc");
  EXPECT_TRUE(seen.empty());
  const auto lowered = build({.level = 3, .libraries_required = true});
  ASSERT_FALSE(lowered);
  EXPECT_EQ(lowered.error().cause(), "it is not here");
}

TEST_F(Tuned, ACacheThatIsNoneIsAnError) {
  EXPECT_EQ(build({.level = 3, .cache = path, .mode = Mode::read}).error().code(), Code::io_error);
}

}  // namespace
}  // namespace burnish
