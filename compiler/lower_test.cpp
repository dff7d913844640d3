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

TEST(Lower, TheHostWritesOutputsThatADeviceRefuses) {
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
  ASSERT_EQ(plan.steps.size(), 2u);
  const auto* call = std::get_if<HostCall>(&plan.steps[1].what);
  ASSERT_TRUE(call);
  EXPECT_EQ(call->outputs.at(0).buffer, plan.outputs.at(0).buffer);
  EXPECT_EQ(plan.buffers[plan.outputs.at(0).buffer].space, Space::host);
  EXPECT_EQ(plan.host_reasons, (std::vector<std::string>{"node 'flip' (Neg): not here"}));
}

// A device that can do everything, by kernels of no text: the arguments are the operands, then the results. It writes
// results of `particular` only where they are dense.
class Able final : public Backend {
 public:
  explicit Able(std::string_view particular = {}) : particular_(particular) {}
  std::string_view target() const override { return "any"; }
  Verdict accepts(const Graph&, const Node&) const override { return Verdict::yes(); }
  Verdict describe(KernelCtx& ctx) const override {
    const std::vector<Dim> dense = dense_strides(ctx.dims, ctx.out(0).shape);
    if (ctx.node.op->name == particular_ &&
        !std::equal(dense.begin(), dense.end(), ctx.out_strides(0).begin()))
      return Verdict::no("not there");
    KernelCall call{.prelude = std::string(ctx.node.op->name)};
    call.grid.fill(ctx.dims.constant(1));
    for (size_t i = 0; i < ctx.node.inputs.size(); ++i) call.body << ctx.in_pointer(i);
    call.body << ctx.out_pointer(0);
    ctx.calls.push_back(std::move(call));
    return Verdict::yes();
  }
  Source emit(const KernelCtx&, const KernelCall& call) const override {
    Source source{.text = call.prelude};
    for (const KernelText::Piece& piece : call.body.pieces)
      source.arguments.push_back({std::get<OperandPointer>(piece)});
    return source;
  }
  Result<std::vector<std::byte>> compile(const std::string&) const override {
    return std::vector<std::byte>();
  }

 private:
  std::string_view particular_;
};

// The launches, each as "Op(operands) -> result": what begins a buffer or lies how many elements into it.
std::vector<std::string> launches(std::string_view text, const Able& device = Able()) {
  Graph graph = parsed(text);
  auto lowered =
      lower(graph, {.backend = &device, .optimum = [](const DimTable&, Dim) { return int64_t{16}; }});
  EXPECT_TRUE(lowered) << (lowered ? "" : lowered.error().cause());
  if (!lowered) return {};
  const Plan& plan = lowered->plan;
  expect_sound(plan);
  EXPECT_EQ(plan.host_reasons, std::vector<std::string>());
  const std::vector<int64_t> slots = slots_at(plan, 16);
  std::map<uint32_t, std::string> names;
  std::vector<std::string> lines;
  for (const Step& step : plan.steps) {
    const auto* launch = std::get_if<KernelLaunch>(&step.what);
    EXPECT_TRUE(launch);
    if (!launch) continue;
    std::string line;
    for (const KernelLaunch::Argument& a : launch->arguments) {
      const auto [name, fresh] =
          names.try_emplace(a.buffer, std::string(1, static_cast<char>('a' + names.size())));
      const std::string at = slots[a.slot] ? "+" + std::to_string(slots[a.slot]) : "";
      if (a.written) line += ") -> ";
      else line += line.empty() ? "(" : ", ";
      line += name->second + at;
    }
    lines.push_back(lowered->sources[launch->module] + line);
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(Lower, AConcatenationIsWrittenByItsOperands) {
  EXPECT_EQ(launches(R"(graph (%x: f32[n, 2], %w: f32[2, 3]) -> (%y, %z) where n = input(%x, 0) {
  %a = Relu(%x) : f32[n, 2]
  %b = MatMul(%a, %w) : f32[n, 3]
  %c = Concat(%b, %a) {axis=1} : f32[n, 5]
  %y = Neg(%c) : f32[n, 5]
  %z = Exp(%a) : f32[n, 2]
}
)"),
            (Lines{"Relu(a) -> b+3", "MatMul(b+3, c) -> b", "Neg(b) -> d", "Exp(b+3) -> e"}));
}

TEST(Lower, ConcatenationsInConcatenations) {
  EXPECT_EQ(launches(R"(graph (%x: f32[4]) -> (%y) {
  %a = Relu(%x) : f32[4]
  %b = Exp(%x) : f32[4]
  %c = Concat(%a, %b) : f32[8]
  %d = Neg(%x) : f32[4]
  %y = Concat(%d, %c) : f32[12]
}
)"),
            (Lines{"Relu(a) -> b+4", "Exp(a) -> b+8", "Neg(a) -> b"}));
}

TEST(Lower, OperandsThatLieElsewhereAreCopied) {
  EXPECT_EQ(launches(R"(graph (%x: f32[4], %k: f32[2, 2]) -> (%y, %z) {
  %t = Transpose(%k) {perm=[1, 0]} : f32[2, 2]
  %f = constant i64[1] {4}
  %v = Reshape(%t, %f) : f32[4]
  %a = Relu(%x) : f32[4]
  %y = Concat(%x, %v, %a, %a) : f32[16]
  %z = Concat(%a, %x) : f32[8]
}
)"),
            (Lines{"Identity(a) -> b", "Relu(c) -> d+8", "Concat(c, b) -> d", "Concat(d+8) -> d+12",
                   "Concat(d+8, c) -> e"}));
}

TEST(Lower, EachMoveSaysWhyItIsLeft) {
  Graph graph = parsed(R"(graph (%x: f32[4], %k: f32[2, 2]) -> (%y, %z, %x) {
  %t = Transpose(%k) {perm=[1, 0]} : f32[2, 2]
  %f = constant i64[1] {4}
  %v = Reshape(%t, %f) : f32[4] @"flat"
  %a = Relu(%x) : f32[4]
  %y = Concat(%x, %v, %a) : f32[12] @"all"
  %z = Concat(%a, %x) : f32[8] @"again"
}
)");
  const Able device;
  auto lowered =
      lower(graph, {.backend = &device, .optimum = [](const DimTable&, Dim) { return int64_t{16}; }});
  ASSERT_TRUE(lowered) << lowered.error().cause();
  EXPECT_EQ(lowered->plan.moves,
            (Lines{"dense copy of 't': node 'flat' (Reshape) has no strides for the order it lies in",
                   "node 'all' (Concat): 'x' is an input; 'v' is a view",
                   "node 'again' (Concat): no operand can be written in place",
                   "output 'x': it is made elsewhere, or in another order"}));
}

TEST(Lower, APlaceThatADeviceRefusesIsGivenUp) {
  EXPECT_EQ(launches(R"(graph (%x: f32[4, 2]) -> (%y) {
  %a = Relu(%x) : f32[4, 2]
  %b = Neg(%x) : f32[4, 2]
  %y = Concat(%a, %b) {axis=1} : f32[4, 4]
}
)",
                     Able("Neg")),
            (Lines{"Relu(a) -> b", "Neg(a) -> c", "Concat(c) -> b+2"}));
}

TEST(Lower, ResultsLieAsTheReshapeAfterATransposeWantsThem) {
  EXPECT_EQ(launches(R"(graph (%x: f32[2, 3, 5], %w: f32[5, 7]) -> (%y) {
  %b = MatMul(%x, %w) : f32[2, 3, 7]
  %t = Transpose(%b) {perm=[1, 0, 2]} : f32[3, 2, 7]
  %f = constant i64[2] {3, 14}
  %r = Reshape(%t, %f) : f32[3, 14]
  %y = Neg(%r) : f32[3, 14]
}
)"),
            (Lines{"MatMul(a, b) -> c", "Neg(c) -> d"}));
}

TEST(Lower, GatheringKnownIndicesIsAView) {
  EXPECT_EQ(launches(R"(graph (%x: f32[3, 4], %i: i64[]) -> (%u, %v, %w) {
  %last = constant i64[] {-1}
  %a = Gather(%x, %last) : f32[4]
  %u = Neg(%a) : f32[4]
  %odd = constant i64[2] {1, 3}
  %b = Gather(%x, %odd) {axis=1} : f32[3, 2]
  %v = Neg(%b) : f32[3, 2]
  %w = Gather(%x, %i) : f32[4]
}
)"),
            (Lines{"Neg(a+8) -> b", "Neg(a+1) -> c", "Gather(a, d) -> e"}));
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

}  // namespace
}  // namespace burnish
