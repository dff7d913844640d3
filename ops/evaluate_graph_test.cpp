#include "ir/evaluate_graph.h"

#include <gtest/gtest.h>

#include "ops/graph_testing.h"

namespace burnish::testing {
namespace {

TEST(EvaluateGraph, ExtentsAreThoseOfTheTensors) {
  const auto done = run_graph(R"(symbols hits in 0..
graph (%x: f32[n, 2], %k: i64[1]) -> (%y, %flat, %sum) where n = input(%x, 0), hits = extent(%y, 1), m = content(%k, 0) {
  %y = NonZero(%x) : i64[2, hits]
  %shape = Dims() {dims=[2*n, hits]} : i64[2] = [2*n, hits]
  %one = constant f32[] {1}
  %flat = Expand(%one, %shape) : f32[2*n, hits]
  %sum = Tile(%k, %k) : i64[m]
}
)",
                              {tensor<float>({3, 2}, {0, 1, 0, 0, 2, 3}), ints({2})});
  ASSERT_TRUE(done) << done.error().cause();
  EXPECT_EQ(values<int64_t>((*done)[0]), (std::vector<int64_t>{0, 2, 2, 1, 0, 1}));
  EXPECT_EQ((*done)[1].shape(), (Shape{6, 3}));
  EXPECT_EQ(values<int64_t>((*done)[2]), (std::vector<int64_t>{2, 2}));
}

TEST(EvaluateGraph, OnlyTheBranchTakenMustFit) {
  constexpr std::string_view text =
      R"(graph (%c: bool[], %x: f32[n], %s: i64[1]) -> (%y) where n = input(%x, 0) {
  %y = If(%c, %x, %s) : f32[n] @"choose" {
    graph then(%a: f32[n], %b: i64[1]) -> (%r) where m = content(%b, 0) {
      %t = Reshape(%a, %b) : f32[m] @"reshape"
      %r = Neg(%t) : f32[m]
    }
    graph else(%a: f32[n], %b: i64[1]) -> (%a) {
    }
  }
}
)";
  const Tensor x = tensor<float>({2}, {1, 2});
  const auto other = run_graph(text, {tensor<bool>({}, {false}), x, ints({3})});
  ASSERT_TRUE(other) << other.error().cause();
  EXPECT_EQ(values<float>((*other)[0]), (std::vector<float>{1, 2}));
  EXPECT_EQ(failure_of(text, {tensor<bool>({}, {true}), x, ints({3})}),
            "node 'reshape' (Reshape): shape [2] cannot become [3]: 2 elements are not 3, while running the "
            "then branch of "
            "node 'choose' (If)");
}

TEST(EvaluateGraph, WhatCannotBeRightFails) {
  EXPECT_EQ(failure_of("graph () -> (%y) {\n"
                       "  %y = Fail() {shape=[2], message=\"no such size\"} : f32[2] @\"fail\"\n"
                       "}\n",
                       {}),
            "this input takes a branch that the model cannot run: no such size");
}

TEST(EvaluateGraph, BytesAreShared) {
  const Tensor x = tensor<float>({2}, {1, 2});
  const auto done = run_graph("graph (%x: f32[2]) -> (%x) {\n}\n", {x});
  ASSERT_TRUE(done);
  EXPECT_EQ((*done)[0].bytes(), x.bytes());
}

}  // namespace
}  // namespace burnish::testing
