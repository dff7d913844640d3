#include <gtest/gtest.h>

#include "base/half.h"
#include "ops/graph_testing.h"

namespace burnish::testing {
namespace {

Tensor scalar(int64_t value) { return tensor<int64_t>({}, {value}); }
Tensor truth(bool value) { return tensor<bool>({}, {value}); }

// Running sums of x, as often as the trip count says and as long as the sum stays below the limit.
constexpr std::string_view sums = R"(symbols found in 0..
graph (%trips: i64[], %go: bool[], %x: f32[2], %step: f32[2], %limit: f32[1]) -> (%last, %all) where found = extent(%all, 0) {
  %last, %all = Loop(%trips, %go, %x, %step, %limit) {carried=1} : f32[2], f32[found, 2] @"sums" {
    graph body(%i: i64[], %on: bool[], %sum: f32[2], %by: f32[2], %most: f32[1]) -> (%below, %next, %sum) {
      %next = Add(%sum, %by) : f32[2] @"add"
      %both = Less(%next, %most) : bool[2]
      %first = constant i64[] {0}
      %below = Gather(%both, %first) : bool[]
    }
  }
}
)";

TEST(Loop, RunsUntilTheTripCountOrTheConditionEndsIt) {
  const Tensor x = tensor<float>({2}, {0, 10}), step = tensor<float>({2}, {1, 2});
  auto run = [&](int64_t trips, bool go, float limit) {
    return run_graph(sums, {scalar(trips), truth(go), x, step, tensor<float>({1}, {limit})});
  };
  const auto by_count = *run(3, true, 100);
  EXPECT_EQ(values<float>(by_count[0]), (std::vector<float>{3, 16}));
  EXPECT_EQ(by_count[1].shape(), (Shape{3, 2}));
  EXPECT_EQ(values<float>(by_count[1]), (std::vector<float>{0, 10, 1, 12, 2, 14}));
  const auto by_condition = *run(9, true, 2);
  EXPECT_EQ(values<float>(by_condition[0]), (std::vector<float>{2, 14}));
  EXPECT_EQ(by_condition[1].shape(), (Shape{2, 2}));
  for (const auto& none : {*run(0, true, 100), *run(-5, true, 100), *run(9, false, 100)}) {
    EXPECT_EQ(values<float>(none[0]), (std::vector<float>{0, 10}));
    EXPECT_EQ(none[1].shape(), (Shape{0, 2}));
  }
}

TEST(Loop, TripCountAndConditionMayBeLeftOut) {
  const auto done = run_graph(R"(graph (%x: i64[]) -> (%y) {
  %y = Loop(_, _, %x) {carried=1} : i64[] @"loop" {
    graph body(%i: i64[1], %on: bool[1], %v: i64[]) -> (%below, %w) {
      %two = constant i64[] {2}
      %w = Mul(%v, %two) : i64[]
      %limit = constant i64[1] {4}
      %below = Less(%i, %limit) : bool[1]
    }
  }
}
)",
                              {scalar(3)});
  ASSERT_TRUE(done) << done.error().cause();
  EXPECT_EQ(values<int64_t>((*done)[0]), (std::vector<int64_t>{96}));  // iterations 0 to 4
}

TEST(Loop, WithoutIterationsASliceHasTheExtentsThatItsOperandsTell) {
  const auto none = run_graph(R"(symbols s in 0.., t in 0..
graph (%x: f32[n, 2], %k: i64[1]) -> (%y, %z) where n = input(%x, 0), s = extent(%y, 0), t = extent(%z, 0) {
  %no = constant bool[] {false}
  %y, %z = Loop(_, %no, %x, %k) : f32[s, 2*n, 2], i64[t, 1, 1] {
    graph body(%i: i64[], %on: bool[], %v: f32[n, 2], %r: i64[1]) -> (%on, %w, %all) {
      %w = Concat(%v, %v) {axis=0} : f32[2*n, 2]
      %zero = constant i64[] {0}
      %one = constant i64[] {1}
      %first = Gather(%r, %zero) : i64[]
      %all = Range(%zero, %first, %one) : i64[1]
    }
  }
}
)",
                              {tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6}), ints({5})});
  ASSERT_TRUE(none) << none.error().cause();
  EXPECT_EQ((*none)[0].shape(), (Shape{0, 6, 2}));
  EXPECT_EQ((*none)[1].shape(),
            (Shape{0, 0}));  // by an element of a tensor of the body's: only running tells
}

constexpr std::string_view growing = R"(symbols m in 0.., s in 0..
graph (%trips: i64[], %x: f32[1, 2]) -> (%y, %n) where m = extent(%y, 0), s = extent(%n, 0) {
  %y, %n = Loop(%trips, _, %x) {carried=1} : f32[m, 2], i64[s, 2] @"grow" {
    graph body(%i: i64[], %on: bool[], %v: f32[1, 2]) -> (%on, %w, %shape) {
      %one = constant f32[1, 2] {7, 8}
      %w = Concat(%v, %one) {axis=0} : f32[2, 2]
      %shape = Shape(%v) : i64[2]
    }
  }
}
)";

TEST(Loop, CarriedValuesMayGrow) {
  const auto done = run_graph(growing, {scalar(3), tensor<float>({1, 2}, {1, 2})});
  ASSERT_TRUE(done) << done.error().cause();
  EXPECT_EQ((*done)[0].shape(), (Shape{4, 2}));
  EXPECT_EQ(values<float>((*done)[0]), (std::vector<float>{1, 2, 7, 8, 7, 8, 7, 8}));
  EXPECT_EQ(values<int64_t>((*done)[1]), (std::vector<int64_t>{1, 2, 2, 2, 3, 2}));
}

TEST(Loop, ExtentsThatChangeAreFoundWhenItRuns) { EXPECT_EQ(output_types(growing), "f32[m, 2], i64[s, 2]"); }

TEST(Loop, ExtentsThatDependOnChangingOnesChangeToo) {
  EXPECT_EQ(
      output_types(
          R"(graph (%trips: i64[], %x: f32[1], %z: f32[1], %k: f32[n]) -> (%a, %b, %c, %all) where n = input(%k, 0) {
  %a, %b, %c, %all = Loop(%trips, _, %x, %z, %k, %k) {carried=3} : f32[1], f32[1], f32[n], f32[1, 1] {
    graph body(%i: i64[], %on: bool[], %u: f32[1], %v: f32[1], %w: f32[n], %same: f32[n]) -> (%on, %uu, %u, %ww, %v) {
      %uu = Concat(%u, %u) {axis=0} : f32[2]
      %ww = Add(%w, %same) : f32[n]
    }
  }
}
)"),
      "f32[a.0], f32[b.0], f32[n], f32[all.0, all.1]");
}

TEST(Loop, AKnownTripCountIsTheExtentOfTheScanOutputs) {
  const auto types = [](std::string_view condition) {
    return output_types(R"(graph (%x: f32[n, 3], %go: bool[]) -> (%y) where n = input(%x, 0) {
  %trips = Dims() {dims=[n - 2], scalar=true} : i64[] = [n - 2]
  %y = Loop(%trips, _, %x) : f32[n, 3] {
    graph body(%i: i64[], %on: bool[], %c: f32[n, 3]) -> ()" +
                        std::string(condition) + R"(, %c) {
      %no = Not(%on) : bool[]
    }
  }
}
)");
  };
  EXPECT_EQ(types("%on"), "f32[max(0, n - 2), n, 3]");
  EXPECT_EQ(types("%no"), "f32[y.0, n, 3]");
}

TEST(Loop, WhatABodyForcesHoldsInThereOnly) {
  EXPECT_EQ(
      output_types(
          R"(graph (%trips: i64[], %a: f32[n, m], %b: f32[k, 2]) -> (%y, %a) where n = input(%a, 0), m = input(%a, 1), k = input(%b, 0) {
  %y = Loop(%trips, _, %a, %b) : f32[n, n, 2] {
    graph body(%i: i64[], %on: bool[], %p: f32[n, m], %q: f32[k, 2]) -> (%on, %r) {
      %r = MatMul(%p, %q) : f32[n, 2]
    }
  }
}
)"),
      "f32[y.0, n, 2], f32[n, m]");
}

TEST(Loop, HalfPrecisionIsHandedOn) {
  Tensor x = Tensor::zeros(DType::f16, {1});
  reinterpret_cast<half*>(x.writable())[0] = to_half(0.1f);
  const auto done = run_graph(R"(graph (%trips: i64[], %x: f16[1]) -> (%y) {
  %y = Loop(%trips, _, %x) {carried=1} : f16[1] {
    graph body(%i: i64[], %on: bool[], %v: f16[1]) -> (%on, %w) {
      %w = Add(%v, %v) : f16[1]
    }
  }
}
)",
                              {scalar(2), x});
  ASSERT_TRUE(done) << done.error().cause();
  EXPECT_EQ((*done)[0].dtype(), DType::f16);
  EXPECT_EQ(to_float((*done)[0].data<half>()[0]), 4 * to_float(to_half(0.1f)));
}

TEST(Loop, LoopsAndBranchesNest) {
  // The sum of i * j over j < i < n, where odd i count twice; the branch not taken would not fit.
  const auto done = run_graph(R"(symbols s in 0..
graph (%n: i64[], %zero: i64[1]) -> (%y) {
  %y = Loop(%n, _, %zero) {carried=1} : i64[1] @"outer" {
    graph body(%i: i64[], %on: bool[], %sum: i64[1]) -> (%on, %next) {
      %next = Loop(%i, _, %sum, %i) {carried=1} : i64[1] @"inner" {
        graph body(%j: i64[], %on: bool[], %t: i64[1], %outer: i64[]) -> (%on, %u) {
          %p = Mul(%j, %outer) : i64[]
          %two = constant i64[] {2}
          %odd = Mod(%outer, %two) : i64[]
          %is = Equal(%odd, %p) : bool[]
          %u = If(%is, %t, %p) : i64[1] @"choose" {
            graph then(%a: i64[1], %b: i64[]) -> (%c) {
              %shape = constant i64[1] {1}
              %c = Reshape(%a, %shape) : i64[1]
            }
            graph else(%a: i64[1], %b: i64[]) -> (%c) {
              %c = Add(%a, %b) : i64[1]
            }
          }
        }
      }
    }
  }
}
)",
                              {scalar(4), ints({0})});
  ASSERT_TRUE(done) << done.error().cause();
  EXPECT_EQ(values<int64_t>((*done)[0]), (std::vector<int64_t>{0 * 1 + 1 * 2 + (1 + 2) * 3}));
}

TEST(Loop, ErrorsNameTheNodeInside) {
  EXPECT_EQ(failure_of(R"(symbols s in 0..
graph (%trips: i64[], %x: f32[2]) -> (%y) where s = extent(%y, 0) {
  %y = Loop(%trips, _, %x) {carried=1} : f32[s] @"grow" {
    graph body(%i: i64[], %on: bool[], %v: f32[2]) -> (%on, %w) {
      %fixed = constant f32[2] {1, 2}
      %sum = Add(%v, %fixed) : f32[2] @"add"
      %w = Concat(%sum, %fixed) {axis=0} : f32[4]
    }
  }
}
)",
                       {scalar(2), tensor<float>({2}, {1, 2})}),
            "node 'add' (Add): shapes [4] and [2] do not broadcast: axis 0 has 4 and 2, while running "
            "iteration 1 of node "
            "'grow' (Loop)");
  EXPECT_EQ(failure_of(R"(symbols s in 0.., t in 0..
graph (%trips: i64[], %n: i64[]) -> (%y) where s = extent(%y, 0), t = extent(%y, 1) {
  %y = Loop(%trips, _, %n) : i64[s, t] @"ragged" {
    graph body(%i: i64[], %on: bool[], %k: i64[]) -> (%on, %r) {
      %one = constant i64[] {1}
      %r = Range(%i, %k, %one) : i64[2]
    }
  }
}
)",
                       {scalar(2), scalar(5)}),
            "node 'ragged' (Loop): iteration 1 gives output 0 a slice of other extents than iteration 0");
}

TEST(Loop, BodiesMustFit) {
  EXPECT_EQ(output_types(R"(graph (%trips: i64[], %x: f32[2]) -> (%y) {
  %y = Loop(%trips, _, %x) {carried=1} : f32[2] @"loop" {
    graph body(%i: i64[], %on: bool[], %v: f32[2]) -> (%on, %w) {
      %w = NonZero(%v) : i64[1, 2]
    }
  }
}
)"),
            "error: node 'loop' (Loop): carried value 0 is f32[2] before and i64[1, w.1] after an iteration");
  EXPECT_EQ(
      output_types(R"(graph (%trips: i64[], %x: f32[2]) -> (%y) {
  %y = Loop(%trips, _, %x) {carried=1} : f32[2] @"loop" {
    graph body(%i: i64[], %on: bool[]) -> (%on) {
    }
  }
}
)"),
      "error: node 'loop' (Loop): its body takes 2 values and gives 1, the node has 3 inputs and 1 outputs");
}

}  // namespace
}  // namespace burnish::testing
