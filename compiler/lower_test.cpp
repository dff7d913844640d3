#include "compiler/lower.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "compiler/backend.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace burnish {
namespace {

Graph parsed(std::string_view text) {
  auto graph = parse(text);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause());
  if (!graph) return Graph();
  const auto checked = verify(*graph, GraphStage::lowerable);
  EXPECT_TRUE(checked) << (checked ? "" : checked.error().cause());
  return *std::move(graph);
}

Result<Lowered> lower_for_host(Graph& graph) {
  return lower(graph, {.optimum = [](const DimTable&, Dim) { return int64_t{16}; }});
}

Plan plan_of(std::string_view text) {
  Graph graph = parsed(text);
  auto lowered = lower_for_host(graph);
  EXPECT_TRUE(lowered) << (lowered ? "" : lowered.error().cause());
  return lowered ? std::move(lowered->plan) : Plan();
}

// Every slot, all symbols being worth `extent`.
std::vector<int64_t> slots_at(const Plan& plan, int64_t extent) {
  std::vector<int64_t> slots(plan.shapes.code.size(), extent);
  for (uint32_t stage = 0; stage < plan.shapes.stage_ends.size(); ++stage) plan.shapes.evaluate(stage, slots);
  return slots;
}

void expect_sound(const Plan& plan) {
  const auto valid = verify(plan);
  EXPECT_TRUE(valid) << (valid ? "" : valid.error().cause());
  for (int64_t extent : {1, 2, 7, 16, 100, 12345}) {
    const auto apart = verify_memory(plan, slots_at(plan, extent));
    EXPECT_TRUE(apart) << "at " << extent << ": " << (apart ? "" : apart.error().cause());
  }
}

template <class T>
size_t count(const Plan& plan) {
  size_t n = 0;
  for_each_step(plan.steps, [&](const Step& step) { n += std::holds_alternative<T>(step.what); });
  return n;
}

// A device that can do nothing but copy, and says so at once or only when it has seen where operands lie.
class Incapable final : public Backend {
 public:
  explicit Incapable(bool says_so_at_once) : says_so_at_once_(says_so_at_once) {}
  std::string_view target() const override { return "none"; }
  Verdict accepts(const Graph&, const Node&) const override {
    return says_so_at_once_ ? Verdict::no("not here") : Verdict::yes();
  }
  Verdict describe(KernelCtx& ctx) const override {
    return ctx.node.op->name == "Identity" ? Verdict::yes() : Verdict::no("not here");
  }
  Source emit(const KernelCtx&, const KernelCall&) const override { return {}; }
  Result<std::vector<std::byte>> compile(const std::string&) const override {
    return std::vector<std::byte>();
  }

 private:
  bool says_so_at_once_;
};

/// A device that can do everything, and notes how results lie.
class Noting final : public Backend {
 public:
  std::string_view target() const override { return "none"; }
  Verdict accepts(const Graph&, const Node&) const override { return Verdict::yes(); }
  Verdict describe(KernelCtx& ctx) const override {
    std::string& line = notes.emplace_back(ctx.node.op->name);
    for (size_t i = 0; i < ctx.node.outputs.size(); ++i) {
      if (i > 0) line += ",";
      for (Dim stride : ctx.out_strides(i)) line += " " + ctx.dims.text(stride);
    }
    return Verdict::yes();
  }
  Source emit(const KernelCtx&, const KernelCall&) const override { return {}; }
  Result<std::vector<std::byte>> compile(const std::string&) const override {
    return std::vector<std::byte>();
  }
  mutable std::vector<std::string> notes;
};

/// A device whose every node is one kernel that reads and writes all of its operands.
class Launching final : public Backend {
 public:
  explicit Launching(std::string_view target = "none") : target_(target) {}
  std::string_view target() const override { return target_; }
  Verdict accepts(const Graph&, const Node&) const override { return Verdict::yes(); }
  Verdict describe(KernelCtx& ctx) const override {
    const Dim one = ctx.dims.constant(1);
    ctx.calls.push_back({.grid = {one, one, one}});
    return Verdict::yes();
  }
  Source emit(const KernelCtx& ctx, const KernelCall&) const override {
    Source source{.text = std::string(ctx.node.op->name)};
    for (uint32_t i = 0; i < ctx.node.inputs.size(); ++i)
      source.arguments.push_back({OperandPointer{OperandPointer::Kind::input, i}});
    for (uint32_t i = 0; i < ctx.node.outputs.size(); ++i)
      source.arguments.push_back({OperandPointer{OperandPointer::Kind::output, i}});
    return source;
  }
  Result<std::vector<std::byte>> compile(const std::string&) const override {
    return std::vector<std::byte>();
  }

 private:
  std::string_view target_;
};

std::vector<std::string> strides_in(std::string_view text) {
  const Noting device;
  Graph graph = parsed(text);
  // Nothing is written, so the plan is not sound: only the notes count.
  (void)lower(graph, {.backend = &device, .optimum = [](const DimTable&, Dim) { return int64_t{16}; }});
  return device.notes;
}

constexpr std::string_view chain = R"(graph (%x: f32[n, 8], %w: f32[8, 8]) -> (%y) where n = input(%x, 0) {
  %a = MatMul(%x, %w) : f32[n, 8] @"a"
  %b = MatMul(%a, %w) : f32[n, 8] @"b"
  %c = MatMul(%b, %w) : f32[n, 8] @"c"
  %y = Add(%c, %a) : f32[n, 8] @"d"
}
)";

TEST(Lower, AChainIsOneStepForEachNodeAndItsMemoryHolds) {
  const Plan plan = plan_of(chain);
  expect_sound(plan);
  EXPECT_EQ(plan.target, "cpu");
  EXPECT_EQ(count<HostCall>(plan), 4u);
  EXPECT_EQ(plan.steps.size(), 4u);  // the last writes the output in place
  EXPECT_EQ(plan.steps[0].name, "a");
  EXPECT_EQ(plan.shapes.stage_ends.size(), 1u);
  ASSERT_EQ(plan.inputs.size(), 2u);
  EXPECT_TRUE(plan.inputs[0].axes[0].binds);
  EXPECT_FALSE(plan.inputs[1].axes[0].binds);
  EXPECT_EQ(plan.outputs.at(0).axes.at(0).text, "n");
  ASSERT_EQ(plan.host_arena.size(), 1u);
  EXPECT_EQ(slots_at(plan, 16)[plan.host_arena[0]], 3 * 16 * 8 * 4);  // a, b and c are in use together
}

TEST(Lower, TwiceIsTheSame) { EXPECT_EQ(plan_of(chain), plan_of(chain)); }

TEST(Lower, ViewsAreAddressesNotSteps) {
  const Plan plan = plan_of(R"(graph (%x: f32[n, 2, 3]) -> (%y) where n = input(%x, 0) {
  %t = Transpose(%x) {perm=[0, 2, 1]} : f32[n, 3, 2]
  %y = Transpose(%t) {perm=[1, 0, 2]} : f32[3, n, 2]
}
)");
  expect_sound(plan);
  ASSERT_EQ(plan.steps.size(), 1u);
  const auto* copy = std::get_if<Copy>(&plan.steps[0].what);
  ASSERT_TRUE(copy);
  const std::vector<int64_t> slots = slots_at(plan, 5);
  std::vector<int64_t> strides;
  for (Slot s : copy->from.strides) strides.push_back(slots[s]);
  EXPECT_EQ(strides, (std::vector<int64_t>{1, 6, 3}));
}

TEST(Lower, AViewOfAWholeResultIsTheOutputWhereItLies) {
  Graph graph = parsed(R"(graph (%x: f32[n, 4, 2]) -> (%y, %same, %turned) where n = input(%x, 0) {
  %a = Relu(%x) : f32[n, 4, 2] @"a"
  %d = constant i64[2] {-1, 8}
  %y = Reshape(%a, %d) : f32[n, 8]
  %same = Reshape(%a, %d) : f32[n, 8]
  %b = Relu(%a) : f32[n, 4, 2] @"b"
  %turned = Transpose(%b) {perm=[0, 2, 1]} : f32[n, 2, 4]
}
)");
  const Launching device;
  const auto lowered =
      lower(graph, {.backend = &device, .optimum = [](const DimTable&, Dim) { return int64_t{16}; }});
  ASSERT_TRUE(lowered) << lowered.error().cause();
  EXPECT_EQ(lowered->plan.moves,
            (std::vector<std::string>{"output 'same': it is made elsewhere, or in another order",
                                      "output 'turned': it is made elsewhere, or in another order"}));
  expect_sound(lowered->plan);
}

TEST(Lower, WhatLeadsToAConvolutionIsWrittenChannelsLast) {
  EXPECT_EQ(strides_in(R"(graph (%x: f32[2, 16, 4, 5]) -> (%y) {
  %w = constant f16[1, 16, 1, 1] {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}
  %h = Cast(%x) {to=f16} : f16[2, 16, 4, 5]
  %a = Relu(%h) : f16[2, 16, 4, 5]
  %y = Conv(%a, %w) {strides=[1, 1], dilations=[1, 1], pads=[0, 0, 0, 0]} : f16[2, 1, 4, 5]
})"),
            (std::vector<std::string>{"Cast 320 1 80 16", "Relu 320 1 80 16", "Conv 20 1 5 1"}));
}

TEST(Lower, EachResultOfAFusedNodeLiesAsItsOwnOperandsAndReadersDo) {
  EXPECT_EQ(strides_in(R"(graph (%x: f32[2, 16, 4, 5], %z: f32[2, 4, 5, 16]) -> (%y, %c) {
  %w = constant f16[1, 16, 1, 1] {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}
  %u = Transpose(%z) {perm=[0, 3, 1, 2]} : f32[2, 16, 4, 5]
  %a, %b, %c = Fused(%x, %u) : f16[2, 16, 4, 5], f32[2, 16, 4, 5], f32[2, 16, 4, 5] {
    graph body(%x: f32[2, 16, 4, 5], %z: f32[2, 16, 4, 5]) -> (%a, %b, %c) {
      %a = Cast(%x) {to=f16} : f16[2, 16, 4, 5]
      %b = Neg(%z) : f32[2, 16, 4, 5]
      %c = Add(%x, %z) : f32[2, 16, 4, 5]
    }
  }
  %y = Conv(%a, %w) {strides=[1, 1], dilations=[1, 1], pads=[0, 0, 0, 0]} : f16[2, 1, 4, 5]
})"),
            (std::vector<std::string>{"Fused 320 1 80 16, 320 1 80 16, 320 20 5 1", "Conv 20 1 5 1"}));
}

TEST(Lower, WhatAConcatenationTakesThroughViewsIsWrittenInPlace) {
  EXPECT_EQ(strides_in(R"(graph (%x: f32[n, 8, 4, 4], %z: f32[n, 1, 8]) -> (%y) where n = input(%x, 0) {
  %w = constant f32[8, 8, 1, 1] {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8}
  %k = Conv(%x, %w) {strides=[2, 2], dilations=[1, 1], pads=[0, 0, 0, 0]} : f32[n, 8, 2, 2]
  %d = constant i64[3] {-1, 8, 4}
  %r = Reshape(%k, %d) : f32[n, 8, 4]
  %p = Transpose(%r) {perm=[0, 2, 1]} : f32[n, 4, 8]
  %t = Relu(%z) : f32[n, 1, 8]
  %c = Concat(%t, %p) {axis=1} : f32[n, 5, 8]
  %y = Neg(%c) : f32[n, 5, 8]
})"),
            (std::vector<std::string>{"Conv 40 1 16 8", "Relu 40 8 1", "Neg 40 8 1"}));
}

TEST(Lower, NotWhereItsOwnOrderWouldBeAnotherOrOthersReadTheView) {
  EXPECT_EQ(strides_in(R"(graph (%x: f32[3, 4], %z: f32[1, 3]) -> (%y, %v) {
  %a = Relu(%x) : f32[3, 4]
  %t = Transpose(%a) {perm=[1, 0]} : f32[4, 3]
  %b = Relu(%x) : f32[3, 4]
  %s = constant i64[2] {4, 3}
  %r = Reshape(%b, %s) : f32[4, 3]
  %v = Exp(%r) : f32[4, 3]
  %c = Concat(%z, %t, %r) {axis=0} : f32[9, 3]
  %y = Neg(%c) : f32[9, 3]
})"),
            (std::vector<std::string>{"Relu 4 1", "Relu 4 1", "Exp 3 1", "Concat 3 1", "Neg 3 1"}));
}

// A convolution's result is channels-last, and so is what is read element by element beside it.
TEST(Lower, ConstantsLieAsTheResultThatTheyAreAddedTo) {
  Graph graph = parsed(R"(graph (%x: f32[n, 1, 1, 3]) -> (%y) where n = input(%x, 0) {
  %w = constant f32[2, 1, 1, 1] {7, 8}
  %b = constant f32[2, 1, 1] {9, 10}
  %c = constant f32[1, 2, 1, 3] {1, 2, 3, 4, 5, 6}
  %z = Fused(%x, %w, %b, %c) : f32[n, 2, 1, 3] {
    graph body(%x: f32[n, 1, 1, 3], %w: f32[2, 1, 1, 1], %b: f32[2, 1, 1], %c: f32[1, 2, 1, 3]) -> (%z) {
      %k = Conv(%x, %w) {strides=[1, 1], dilations=[1, 1], pads=[0, 0, 0, 0]} : f32[n, 2, 1, 3]
      %s = Mul(%k, %b) : f32[n, 2, 1, 3]
      %z = Add(%s, %c) : f32[n, 2, 1, 3]
    }
  }
  %y = Neg(%z) : f32[n, 2, 1, 3]
})");
  const Launching device;
  const auto lowered =
      lower(graph, {.backend = &device, .optimum = [](const DimTable&, Dim) { return int64_t{16}; }});
  ASSERT_TRUE(lowered) << lowered.error().cause();
  std::vector<std::vector<float>> constants;
  for (const Tensor& t : lowered->constants)
    constants.emplace_back(t.data<float>(), t.data<float>() + t.count());
  EXPECT_EQ(constants, (std::vector<std::vector<float>>{{7, 8}, {9, 10}, {1, 4, 2, 5, 3, 6}}));
}

TEST(Lower, AFewChannelsStayWhereTheyAre) {
  EXPECT_EQ(strides_in(R"(graph (%x: f32[2, 3, 4, 5]) -> (%y) {
  %w = constant f16[1, 3, 1, 1] {1, 2, 3}
  %h = Cast(%x) {to=f16} : f16[2, 3, 4, 5]
  %y = Conv(%h, %w) {strides=[1, 1], dilations=[1, 1], pads=[0, 0, 0, 0]} : f16[2, 1, 4, 5]
})"),
            (std::vector<std::string>{"Cast 60 20 5 1", "Conv 20 1 5 1"}));
}

TEST(Lower, AGatherOfOneKnownIndexIsAnAddress) {
  const Plan plan = plan_of(R"(graph (%x: f32[n, 3, 4]) -> (%y) where n = input(%x, 0) {
  %last = constant i64[] {-1}
  %g = Gather(%x, %last) {axis=1} : f32[n, 4]
  %y = Neg(%g) : f32[n, 4]
}
)");
  expect_sound(plan);
  ASSERT_EQ(plan.steps.size(), 2u) << "a dense copy for the host, and the Neg";
  const auto* copy = std::get_if<Copy>(&plan.steps[0].what);
  ASSERT_TRUE(copy);
  const std::vector<int64_t> slots = slots_at(plan, 5);
  EXPECT_EQ(slots[copy->from.offset], 8);
  EXPECT_EQ(slots[copy->from.strides.at(0)], 12);
}

TEST(Lower, WhatNoCopyMakesAViewIsNotCopied) {
  const Plan plan = plan_of(R"(graph (%x: f32[2, 3], %at: i64[2]) -> (%y) {
  %t = Transpose(%x) {perm=[1, 0]} : f32[3, 2]
  %y = Gather(%t, %at) : f32[2, 2]
}
)");
  expect_sound(plan);
  EXPECT_EQ(count<Copy>(plan), 1u) << "the one for the host's dense operand";
}

TEST(Lower, ExtentsThatTheDataDecideBeginAStage) {
  const Plan plan = plan_of(R"(symbols hits in 0..
graph (%x: f32[n]) -> (%y) where n = input(%x, 0), hits = extent(%i, 1) {
  %i = NonZero(%x) : i64[1, hits]
  %a = Abs(%i) : i64[1, hits]
  %y = Neg(%a) : i64[1, hits]
}
)");
  expect_sound(plan);
  ASSERT_EQ(plan.shapes.stage_ends.size(), 2u);
  ASSERT_EQ(plan.steps.size(), 3u);
  const auto* call = std::get_if<HostCall>(&plan.steps[0].what);
  ASSERT_TRUE(call);
  EXPECT_EQ(plan.steps[0].stage, 1u);
  ASSERT_EQ(call->late.size(), 1u);
  EXPECT_EQ(call->late[0].output, 0u);
  EXPECT_EQ(call->late[0].axis, 1u);
  EXPECT_GE(call->late[0].symbol, plan.shapes.stage_ends[0]);
  ASSERT_EQ(plan.host_arena.size(), 2u);
  EXPECT_EQ(slots_at(plan, 16)[plan.host_arena[0]], 0);  // nothing but what needs hits
}

TEST(Lower, ExtentsThatATensorHoldsAreReadBeforeTheirUse) {
  const Plan plan = plan_of(R"(graph (%x: f32[], %k: i64[1]) -> (%y) where m = content(%k, 0) {
  %e = Expand(%x, %k) : f32[m]
  %y = Exp(%e) : f32[m]
}
)");
  expect_sound(plan);
  ASSERT_FALSE(plan.steps.empty());
  EXPECT_TRUE(std::holds_alternative<ReadExtents>(plan.steps[0].what));
  EXPECT_EQ(plan.steps[0].stage, 1u);
  EXPECT_EQ(plan.outputs.at(0).axes.at(0).text, "m");
}

TEST(Lower, BothBranchesOfAnIfWriteItsResult) {
  const Plan plan = plan_of(R"(graph (%c: bool[], %x: f32[n]) -> (%z) where n = input(%x, 0) {
  %y = If(%c, %x) : f32[n] @"choose" {
    graph then(%q: f32[n]) -> (%r) {
      %r = Exp(%q) : f32[n]
    }
    graph else(%q: f32[n]) -> (%q) {
    }
  }
  %z = Neg(%y) : f32[n]
}
)");
  expect_sound(plan);
  ASSERT_EQ(plan.steps.size(), 2u);
  const auto* branch = std::get_if<If>(&plan.steps[0].what);
  ASSERT_TRUE(branch);
  EXPECT_EQ(plan.steps[0].name, "choose");
  auto writes = [](const std::vector<Step>& steps, uint32_t buffer) {
    return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
      const std::vector<BufferUse> uses = uses_of(step);
      return std::any_of(uses.begin(), uses.end(),
                         [&](const BufferUse& use) { return use.writes && use.buffer == buffer; });
    });
  };
  const auto* last = std::get_if<HostCall>(&plan.steps[1].what);
  ASSERT_TRUE(last);
  EXPECT_TRUE(writes(branch->then_steps, last->inputs.at(0).buffer));
  EXPECT_TRUE(writes(branch->else_steps, last->inputs.at(0).buffer));
}

TEST(Lower, WhatADeviceRefusesGoesThroughTheHostAndBack) {
  Graph graph = parsed(R"(graph (%x: f32[n]) -> (%y) where n = input(%x, 0) {
  %y = Neg(%x) : f32[n] @"flip"
}
)");
  const Incapable device(false);
  auto lowered =
      lower(graph, {.backend = &device, .optimum = [](const DimTable&, Dim) { return int64_t{16}; }});
  ASSERT_TRUE(lowered) << lowered.error().cause();
  const Plan& plan = lowered->plan;
  expect_sound(plan);
  ASSERT_EQ(plan.steps.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<HostCall>(plan.steps[1].what));
  const auto* up = std::get_if<Copy>(&plan.steps[2].what);
  ASSERT_TRUE(up);
  EXPECT_EQ(up->to.buffer, plan.outputs.at(0).buffer);
  EXPECT_EQ(plan.buffers[up->to.buffer].space, Space::device);
  EXPECT_EQ(plan.host_reasons, (std::vector<std::string>{"node 'flip' (Neg): not here"}));
}

constexpr std::string_view growing = R"(symbols rows in 0..
graph (%trips: i64[], %x: f32[n, 2], %row: f32[1, 2]) -> (%z) where n = input(%x, 0), rows = extent(%y, 0) {
  %y = Loop(%trips, _, %x, %row) {carried=1} : f32[rows, 2] @"grow" {
    graph body(%i: i64[], %on: bool[] = [1], %v: f32[k, 2], %r: f32[1, 2]) -> (%on, %w) where k = input(%v, 0) {
      %w = Concat(%v, %r) {axis=0} : f32[k + 1, 2] @"concat"
    }
  }
  %z = Neg(%y) : f32[rows, 2] @"negate"
}
)";

// Their blocks may ask for more shared memory than they use.
TEST(Lower, LaunchesStartEarlyFromHopperOnUnlessSharedMemoryIsLimited) {
  struct Row {
    const char* target;
    TacticLimits limits;
    bool early;
  };
  for (const Row& row :
       {Row{"sm_80", {}, false}, Row{"sm_90", {}, true}, Row{"sm_100", {}, true},
        Row{"sm_90", {.workspace = 1 << 20}, true}, Row{"sm_90", {.shared = 1 << 16}, false}}) {
    const Launching device(row.target);
    Graph graph = parsed(chain);
    const auto lowered = lower(graph, {.backend = &device,
                                       .optimum = [](const DimTable&, Dim) { return int64_t{16}; },
                                       .limits = row.limits});
    ASSERT_TRUE(lowered) << lowered.error().cause();
    int launches = 0;
    for (const Step& step : lowered->plan.steps)
      if (const auto* launch = std::get_if<KernelLaunch>(&step.what)) {
        EXPECT_EQ(launch->starts_early, row.early) << row.target;
        ++launches;
      }
    EXPECT_GT(launches, 0);
  }
}

TEST(Lower, APluginReadsAndWritesDenseMemory) {
  // x is read transposed, and a and b could lie in y.
  auto graph = parse(R"(graph (%x: f32[4, n]) -> (%y) where n = input(%x, 1) {
  %t = Transpose(%x) {perm=[1, 0]} : f32[n, 4] @"t"
  %a = Plugin(%t) {plugin=["p", "1", ""], op=["d", "A", "1"], device=true, types=["f32"], ranks=[2], extents=[n, 4], workspace=[8*n]} : f32[n, 4] @"a"
  %b = Plugin(%a) {plugin=["p", "1", ""], op=["d", "B", "1"], host=true, device=true, types=["f32", "i64"], ranks=[2, 1], extents=[n, 4, 3], workspace=[0]} : f32[n, 4] @"b"
  %y = Concat(%a, %b) {axis=1} : f32[n, 8] @"y"
}
)");
  ASSERT_TRUE(graph) << graph.error().cause();
  const Launching device;
  const auto lowered =
      lower(*graph, {.backend = &device, .optimum = [](const DimTable&, Dim) { return int64_t{16}; }});
  ASSERT_TRUE(lowered) << lowered.error().cause();
  const Plan& plan = lowered->plan;
  expect_sound(plan);
  EXPECT_EQ(plan.plugins, (std::vector<NeededPlugin>{{"p", "1", ""}}));
  const std::vector<int64_t> slots = slots_at(plan, 7);
  std::string seen;
  for (const Step& step : plan.steps) {
    seen += step.name + ";";
    const auto* call = std::get_if<PluginCall>(&step.what);
    if (!call) continue;
    for (const auto* operands : {&call->inputs, &call->outputs})
      for (const Operand& x : *operands) {
        EXPECT_EQ(plan.buffers[x.buffer].space, Space::device);
        EXPECT_EQ(slots[x.strides.back()], 1);
        EXPECT_TRUE(x.strides.size() == 1 || slots[x.strides[0]] == 4) << step.name;
      }
    const bool works_in = call->workspace != Operand::none;
    EXPECT_EQ(works_in ? slots[plan.buffers[call->workspace].bytes] : 0, step.name == "a" ? 56 : 0);
    EXPECT_EQ(call->outputs.size(), step.name == "a" ? 1u : 2u) << "also those that nobody reads";
  }
  EXPECT_EQ(seen, "dense copy of t;a;b;y;");
}

TEST(Lower, APluginOfTheWrongPlace) {
  const std::string text = R"(graph (%x: f32[4]) -> (%y) {
  %y = Plugin(%x) {plugin=["p", "1", ""], op=["", "A", "1"], device=true, types=["f32"], ranks=[1], extents=[4], workspace=[0]} : f32[4] @"a"
}
)";
  auto graph = parse(text);
  ASSERT_TRUE(graph) << graph.error().cause();
  const auto lowered = lower_for_host(*graph);
  ASSERT_FALSE(lowered);
  EXPECT_EQ(lowered.error().what(), "node 'a' (A): plugin 'p' runs it on GPUs only");
}

TEST(Lower, ALoopIsOneStepThatFindsExtents) {
  const Plan plan = plan_of(growing);
  expect_sound(plan);
  ASSERT_EQ(plan.steps.size(), 2u);
  const auto* call = std::get_if<HostCall>(&plan.steps[0].what);
  ASSERT_TRUE(call);
  EXPECT_EQ(plan.steps[0].name, "grow");
  EXPECT_EQ(plan.steps[0].stage, 1u);
  ASSERT_EQ(call->late.size(), 1u);
  EXPECT_EQ(call->late[0].axis, 0u);
  EXPECT_EQ(call->text, R"(graph call(%0: i64[], %1: f32[], %2: f32[]) -> (%3) {
  %3 = Loop(%0, _, %1, %2) {carried=1} : f32[] @"grow" {
    graph body(%i: i64[], %on: bool[], %v: f32[k, 2], %r: f32[1, 2]) -> (%on, %w) where k = input(%v, 0) {
      %w = Concat(%v, %r) : f32[k + 1, 2] @"concat"
    }
  }
}
)");
}

TEST(Lower, TheHostTakesLoopsThatADeviceRefuses) {
  const Incapable device(true);
  Graph graph = parsed(growing);
  const auto lowered =
      lower(graph, {.backend = &device, .optimum = [](const DimTable&, Dim) { return int64_t{16}; }});
  ASSERT_TRUE(lowered) << lowered.error().cause();
  expect_sound(lowered->plan);
  EXPECT_EQ(lowered->plan.host_reasons,
            (std::vector<std::string>{"node 'grow' (Loop): not here", "node 'negate' (Neg): not here"}));
  EXPECT_EQ(count<HostCall>(lowered->plan), 2u);
  EXPECT_EQ(count<Copy>(lowered->plan), 4u);  // the inputs come to the host, the result goes back
}

// Two weights that are 0.
constexpr std::string_view equal_constants = R"(graph (%x: f32[2, 2]) -> (%y) {
  %a = constant f32[2] {0, 0}
  %b = constant f32[2] {0, 0}
  %p = Add(%x, %a) : f32[2, 2]
  %y = Mul(%p, %b) : f32[2, 2]
}
)";

TEST(Lower, EqualConstantsAreOneUnlessTheyAreWeightsThatVary) {
  const auto constants = [](bool weights_vary) {
    Graph graph = parsed(equal_constants);
    auto lowered = lower(
        graph, {.weights_vary = weights_vary, .optimum = [](const DimTable&, Dim) { return int64_t{16}; }});
    EXPECT_TRUE(lowered) << (lowered ? "" : lowered.error().cause());
    return lowered ? lowered->constants.size() : 0;
  };
  EXPECT_EQ(constants(false), 1u);
  EXPECT_EQ(constants(true), 2u);
}

TEST(Lower, WhatMustAgreeIsChecked) {
  const Plan plan = plan_of(R"(symbols n, m
require 2*n == m + 1 "node 'add' (Add): axis 0"
graph (%x: f32[n], %z: f32[m]) -> (%y) where n = input(%x, 0), m = input(%z, 0) {
  %y = Neg(%x) : f32[n]
}
)");
  expect_sound(plan);
  ASSERT_EQ(plan.checks.size(), 1u);
  EXPECT_EQ(plan.checks[0].message, "node 'add' (Add): axis 0: 2*n and m + 1 must be equal");
  EXPECT_EQ(plan.checks[0].stage, 0u);
  EXPECT_NE(plan.checks[0].a, plan.checks[0].b);
}

TEST(Lower, PortsInAnotherOrderAreReadAndWrittenThere) {
  Graph graph = parsed(R"(graph (%x: f32[2, 3, 4, 5]) -> (%y) {
  %y = Neg(%x) : f32[2, 3, 4, 5]
}
)");
  const auto lowered = lower(graph, {.optimum = [](const DimTable&, Dim) { return int64_t{16}; },
                                     .input_orders = {{0, 2, 3, 1}},
                                     .output_orders = {{0, 2, 3, 1}}});
  ASSERT_TRUE(lowered) << lowered.error().cause();
  const Plan& plan = lowered->plan;
  expect_sound(plan);
  EXPECT_EQ(plan.inputs[0].order, (std::vector<uint32_t>{0, 2, 3, 1}));
  EXPECT_EQ(plan.outputs[0].order, (std::vector<uint32_t>{0, 2, 3, 1}));
  ASSERT_EQ(plan.steps.size(), 3u);  // the host reads and writes row-major
  const std::vector<int64_t> slots = slots_at(plan, 1);
  for (const Operand& port :
       {std::get<Copy>(plan.steps[0].what).from, std::get<Copy>(plan.steps[2].what).to}) {
    std::vector<int64_t> strides;
    for (Slot s : port.strides) strides.push_back(slots[s]);
    EXPECT_EQ(strides, (std::vector<int64_t>{60, 1, 15, 3}));
  }
}

}  // namespace
}  // namespace burnish
