#include <gtest/gtest.h>

#include "base/half.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ops/graph_testing.h"
#include "ops/testing.h"

namespace burnish {
namespace {

using testing::tensor, testing::values;

TEST(Fused, EachResultIsRoundedAndNothingElse) {
  auto graph = parse(R"(graph (%x: f32[2]) -> (%third, %y) {
  %third, %y = Fused(%x) : f16[2], f32[2] {
    graph body(%0: f32[2]) -> (%3, %6) {
      %1 = constant f32[] {3}
      %2 = Div(%0, %1) : f32[2]
      %3 = Cast(%2) {to=f16} : f16[2]
      %4 = Cast(%3) {to=f32} : f32[2]
      %6 = Mul(%4, %1) : f32[2]
    }
  }
})");
  ASSERT_TRUE(graph) << graph.error().cause();
  const Tensor x = tensor<float>({2}, {1, 2});
  Tensor third = Tensor::zeros(DType::f16, {2}), y = Tensor::zeros(DType::f32, {2});
  const TensorView in{DType::f32, {2}, const_cast<std::byte*>(x.bytes())};
  const TensorView* operands[] = {&in};
  TensorView results[] = {{DType::f16, {2}, third.writable()}, {DType::f32, {2}, y.writable()}};
  ThreadPool pool(1);
  const auto done = evaluate(graph->nodes[0], operands, results, pool, nullptr);
  ASSERT_TRUE(done) << done.error().cause();
  EXPECT_EQ(to_float(third.data<half>()[0]), 0.333251953125f);
  EXPECT_EQ(values<float>(y), (std::vector<float>{1, 2}));
}

// Products and their mean leave the range of FP16.
TEST(Fused, AReductionBetweenPointwiseNodesRoundsNothing) {
  auto graph = parse(R"(graph (%x: f16[2, 2], %z: f16[2]) -> (%y) {
  %y = Fused(%x, %z) : f16[2, 1] {
    graph body(%0: f16[2, 2], %1: f16[2]) -> (%5) {
      %2 = Mul(%0, %1) : f16[2, 2]
      %3 = ReduceMean(%2) {axes=[1]} : f16[2, 1]
      %4 = constant f16[] {0.125}
      %5 = Mul(%3, %4) : f16[2, 1]
    }
  }
})");
  ASSERT_TRUE(graph) << graph.error().cause();
  const auto sound = verify(*graph);
  ASSERT_TRUE(sound) << sound.error().cause();
  auto half_tensor = [](Shape shape, const std::vector<float>& values) {
    Tensor t = Tensor::zeros(DType::f16, std::move(shape));
    for (size_t i = 0; i < values.size(); ++i) reinterpret_cast<half*>(t.writable())[i] = to_half(values[i]);
    return t;
  };
  ThreadPool pool(1);
  const std::vector<Tensor> inputs = {half_tensor({2, 2}, {1, 7, 8, 8}), half_tensor({2}, {32768, 32768})};
  const auto y = evaluate_graph(*graph, inputs, pool);
  ASSERT_TRUE(y) << y.error().cause();
  const Tensor& means = (*y)[0];
  EXPECT_EQ(to_float(means.data<half>()[0]), 16384);
  EXPECT_EQ(to_float(means.data<half>()[1]), 32768);
}

std::string trouble_in(std::string_view results, std::string_view body) {
  auto graph =
      parse("graph (%x: f32[2], %z: f32[3, 1]) -> (%a) {\n  " + std::string(results) +
            " {\n    graph body(%0: f32[2], %1: f32[3, 1]) -> " + std::string(body) + "    }\n  }\n}\n");
  EXPECT_TRUE(graph) << graph.error().cause();
  const auto sound = verify(*graph);
  return sound ? "" : sound.error().cause();
}

TEST(Fused, ItsResultsAreOfTheSameExtents) {
  EXPECT_EQ(trouble_in("%a, %b = Fused(%x, %z) : f32[2], f32[3, 2]",
                       "(%2, %3) {\n      %2 = Neg(%0) : f32[2]\n      %3 = Add(%0, %1) : f32[3, 2]\n"),
            "node '' (Fused): its results have different extents");
}

TEST(Fused, ItsBodyGivesAsManyResults) {
  EXPECT_EQ(trouble_in("%a, %b = Fused(%x, %z) : f32[2], f32[2]", "(%2) {\n      %2 = Neg(%0) : f32[2]\n"),
            "node '' (Fused): its body has another form");
}

}  // namespace
}  // namespace burnish
