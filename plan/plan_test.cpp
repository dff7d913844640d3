#include "plan/plan.h"

#include <gtest/gtest.h>

#include "plan/lifetimes.h"
#include "plan/plan_testing.h"

namespace burnish {

using testing::PlanMaker;

/// x -> a -> b -> y, each a buffer of n floats; a and b at the given offsets of one arena.
static Plan chain(int64_t a_offset, int64_t b_offset, bool a_read_late = false) {
  PlanMaker m;
  const Slot n = m.symbol(), zero = m.constant(0), one = m.constant(1), four = m.constant(4),
             bytes = m.mul(n, four);
  const Slot at_a = m.mul(bytes, m.constant(a_offset)), at_b = m.mul(bytes, m.constant(b_offset)),
             arena = m.mul(bytes, m.constant(2));
  m.plan.host_arena = {arena};
  const uint32_t x = m.input("x", DType::f32, {{n, "n", true}}, bytes),
                 y = m.output("y", DType::f32, {{n, "n"}}, bytes);
  const uint32_t a = m.temporary(bytes, at_a), b = m.temporary(bytes, at_b);
  auto all = [&](uint32_t buffer) { return m.operand(buffer, DType::f32, {n}, {one}, zero); };
  m.step("1", Copy{all(x), all(a)});
  m.step("2", Copy{all(x), all(b)});
  m.step("3", Copy{all(a_read_late ? a : b), all(y)});
  return m.finish();
}

static std::vector<int64_t> slots_for(const Plan& plan, int64_t n) {
  std::vector<int64_t> slots(plan.shapes.code.size());
  slots[plan.inputs[0].axes[0].slot] = n;
  plan.shapes.evaluate(0, slots);
  return slots;
}

TEST(MemoryVerifier, TakesDisjointBuffers) {
  const Plan plan = chain(0, 1, true);
  ASSERT_TRUE(verify(plan));
  EXPECT_TRUE(verify_memory(plan, slots_for(plan, 5)));
}

TEST(MemoryVerifier, TakesSharedBytesOfBuffersUsedOneAfterTheOther) {
  const Plan plan = chain(0, 0);
  EXPECT_TRUE(verify_memory(plan, slots_for(plan, 5)));
}

TEST(MemoryVerifier, RefusesSharedBytesOfBuffersUsedAtTheSameTime) {
  const Plan plan = chain(0, 0, true);
  const Result<> result = verify_memory(plan, slots_for(plan, 5));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().cause(),
            "the plan is malformed: buffers 2 and 3 are in use at the same time and share bytes");
  EXPECT_TRUE(verify_memory(plan, slots_for(plan, 0))) << "nothing shares no bytes";
}

TEST(MemoryVerifier, RefusesWhatLiesOutsideTheArena) {
  const Plan plan = chain(0, 2, true);
  const Result<> result = verify_memory(plan, slots_for(plan, 5));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().cause(), "the plan is malformed: buffer 3 lies outside its arena");
}

TEST(ArenaBytes, AreThoseOfThePlanAndOfTheStepThatNeedsMost) {
  const Plan at_once = chain(0, 1, true), one_after_the_other = chain(0, 1);
  const ArenaBytes both = arena_bytes(at_once, Space::host, slots_for(at_once, 5));
  EXPECT_EQ(both.planned, 40);
  EXPECT_EQ(both.least, 40);
  EXPECT_EQ(arena_bytes(one_after_the_other, Space::host, slots_for(one_after_the_other, 5)).least, 20);
  EXPECT_EQ(arena_bytes(at_once, Space::device, slots_for(at_once, 5)).planned, 0);
}

/// `plan` after `damage` is refused with this cause.
template <class F>
static void expect_refused(const F& damage, const std::string& cause) {
  Plan plan = chain(0, 1);
  ASSERT_TRUE(verify(plan));
  damage(plan);
  const Result<> result = verify(plan);
  ASSERT_FALSE(result) << cause;
  EXPECT_EQ(result.error().code(), Code::incompatible_engine);
  EXPECT_EQ(result.error().cause(), cause);
}

TEST(PlanVerifier, RefusesMemoryThatNothingHasWritten) {
  Plan plan = chain(0, 1);
  EXPECT_TRUE(verify_written(plan));
  std::swap(plan.steps[1], plan.steps[2]);
  EXPECT_EQ(verify_written(plan).error().cause(),
            "the plan is malformed: step '3' reads buffer 3 before it is written");
  std::swap(plan.steps[1], plan.steps[2]);
  plan.steps.pop_back();
  EXPECT_EQ(verify_written(plan).error().cause(), "the plan is malformed: no step writes output 'y'");
}

TEST(PlanVerifier, RefusesIndicesThatNameNothing) {
  expect_refused([](Plan& p) { p.buffers[0].bytes = 99; }, "the plan is malformed: slot 99 does not exist");
  expect_refused([](Plan& p) { p.outputs[0].buffer = 9; },
                 "the plan is malformed: 'y' names a buffer that does not exist");
  expect_refused([](Plan& p) { p.buffers[2].stage = 1; },
                 "the plan is malformed: a buffer names an arena that does not exist");
  expect_refused([](Plan& p) { p.host_arena.push_back(0); },
                 "the plan is malformed: there are arenas for stages that do not exist");
  expect_refused([](Plan& p) { p.inputs[0].axes[0].slot = 1; }, "the plan is malformed: slot 1 is no symbol");
  expect_refused(
      [](Plan& p) { std::get<Copy>(p.steps[1].what).to.buffer = 77; },
      "the plan is malformed: an operand names a buffer that does not exist, while checking step '2'");
  expect_refused([](Plan& p) { p.steps[0].stage = 1; },
                 "the plan is malformed: step '1' names a stage that does not exist");
  expect_refused([](Plan& p) { p.steps[0].work.flops = 99; },
                 "the plan is malformed: slot 99 does not exist");
  const auto launch = [](KernelLaunch::Argument argument) {
    return [argument](Plan& p) {
      p.modules = {{.target = "sm_90"}};
      p.steps[0].what = KernelLaunch{.arguments = {argument}};
    };
  };
  constexpr auto tensor_map = KernelLaunch::Argument::Kind::tensor_map;
  expect_refused(
      launch({.kind = tensor_map, .buffer = 77, .extents = {0}, .box = {8}}),
      "the plan is malformed: a kernel argument names a buffer that does not exist, while checking step '1'");
  expect_refused(
      launch({.kind = tensor_map, .extents = {0}, .strides = {0}, .box = {8}}),
      "the plan is malformed: a tensor map has extents, strides and a box that do not fit together, while "
      "checking step '1'");
  expect_refused(
      launch({.kind = tensor_map, .extents = {0, 0}, .strides = {0}, .box = {8, 1}, .windows = {{}, {}}}),
      "the plan is malformed: a tensor map has extents, strides and a box that do not fit together, while "
      "checking step '1'");
  expect_refused(launch({.kind = tensor_map, .extents = {0, 99}, .strides = {0}, .box = {8, 1}}),
                 "the plan is malformed: slot 99 does not exist, while checking step '1'");
  expect_refused([](Plan& p) { p.inputs[0].order.assign(p.inputs[0].axes.size(), 1); },
                 "the plan is malformed: the order of 'x' is none of its axes");
  expect_refused([](Plan& p) { p.profiles.emplace_back(); },
                 "the plan is malformed: a profile is of other inputs than the plan's");
  expect_refused([](Plan& p) { p.profiles = {{{{}}}}; },
                 "the plan is malformed: a profile has other axes than input 'x'");
  expect_refused([](Plan& p) { p.profiles = {{{{{{1, 3, 2}}}}}}; },
                 "the plan is malformed: a profile's range of input 'x' is out of order");
  expect_refused([](Plan& p) { p.checks.push_back({0, 0, 3, ""}); },
                 "the plan is malformed: a check names a stage that does not exist");
}

TEST(PlanVerifier, RefusesAProgramThatReadsAhead) {
  Plan plan = chain(0, 1);
  plan.shapes.code[4].a = 4;
  const Result<> result = verify(plan);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().cause(), "shape program: slot 4 reads a later slot");
}

}  // namespace burnish
