#include <gtest/gtest.h>

#include "ops/graph_testing.h"

namespace burnish::testing {
namespace {

// state + k * (slice of x) in every step; the sums are stacked.
std::string sums(std::string_view attributes, std::string_view x, std::string_view result) {
  return "graph (%s: f32[2], %x: " + std::string(x) + ", %k: f32[]) -> (%last, %all) {\n" +
         "  %last, %all = Scan(%s, %x, %k) {carried=1, num_scan_inputs=1" + std::string(attributes) +
         "} : f32[2], " + std::string(result) + R"( @"scan" {
    graph body(%state: f32[2], %slice: f32[2], %factor: f32[]) -> (%next, %next) {
      %scaled = Mul(%slice, %factor) : f32[2]
      %next = Add(%state, %scaled) : f32[2]
    }
  }
}
)";
}

struct Case {
  const char* attributes;
  Shape x, result;
  std::vector<float> x_values, last, all;
};

class Sums : public ::testing::TestWithParam<Case> {};

TEST_P(Sums, AxesAndDirections) {
  const Case& c = GetParam();
  const std::string x = "f32[" + std::to_string(c.x[0]) + ", " + std::to_string(c.x[1]) + "]";
  const std::string result = "f32[" + std::to_string(c.result[0]) + ", " + std::to_string(c.result[1]) + "]";
  const std::string text = sums(c.attributes, x, result);
  EXPECT_EQ(output_types(text), "f32[2], " + result);
  const auto done = run_graph(
      text, {tensor<float>({2}, {100, 200}), tensor<float>(c.x, c.x_values), tensor<float>({}, {10})});
  ASSERT_TRUE(done) << done.error().cause();
  EXPECT_EQ(values<float>((*done)[0]), c.last);
  EXPECT_EQ((*done)[1].shape(), c.result);
  EXPECT_EQ(values<float>((*done)[1]), c.all);
}

INSTANTIATE_TEST_SUITE_P(
    Scan, Sums,
    ::testing::Values(
        Case{"", {3, 2}, {3, 2}, {1, 2, 3, 4, 5, 6}, {190, 320}, {110, 220, 140, 260, 190, 320}},
        Case{", scan_input_directions=[1]",
             {3, 2},
             {3, 2},
             {1, 2, 3, 4, 5, 6},
             {190, 320},
             {150, 260, 180, 300, 190, 320}},
        Case{", scan_output_directions=[1]",
             {3, 2},
             {3, 2},
             {1, 2, 3, 4, 5, 6},
             {190, 320},
             {190, 320, 140, 260, 110, 220}},
        Case{", scan_input_axes=[1], scan_output_axes=[-1]",
             {2, 3},
             {2, 3},
             {1, 3, 5, 2, 4, 6},
             {190, 320},
             {110, 140, 190, 220, 260, 320}},
        Case{", scan_input_axes=[-1], scan_output_axes=[0]",
             {2, 3},
             {3, 2},
             {1, 3, 5, 2, 4, 6},
             {190, 320},
             {110, 220, 140, 260, 190, 320}},
        Case{"", {0, 2}, {0, 2}, {}, {100, 200}, {}}));

// Two tensors side by side; the state has the batch's extent.
constexpr std::string_view batched =
    R"(graph (%h: f32[n, 4], %x: f32[n, t, 4], %y: f32[u, n]) -> (%last, %all, %sizes) where n = input(%h, 0), t = input(%x, 1), u = input(%y, 0) {
  %last, %all, %sizes = Scan(%h, %x, %y) {carried=1, num_scan_inputs=2, scan_input_axes=[1, 0], scan_output_axes=[1]} : f32[n, 4], f32[n, t, 4], i64[t] @"scan" {
    graph body(%s: f32[n, 4], %a: f32[n, 4], %b: f32[n]) -> (%r, %a, %m) {
      %r = Add(%s, %a) : f32[n, 4]
      %m = Size(%b) : i64[]
    }
  }
}
)";

TEST(Scan, ExtentsOutsideStayKnown) { EXPECT_EQ(output_types(batched), "f32[n, 4], f32[n, t, 4], i64[t]"); }

TEST(Scan, AllScannedTensorsHaveAsManySlices) {
  const Graph graph = *inferred_graph(batched);
  Node node = graph.nodes[0];
  const Tensor h = random_tensor({2, 4}), x = random_tensor({2, 3, 4}), y = random_tensor({5, 2});
  std::vector<TensorView> in, out;
  for (const Tensor* t : {&h, &x, &y})
    in.push_back({t->dtype(), t->shape(), const_cast<std::byte*>(t->bytes())});
  const TensorView* pointers[] = {&in[0], &in[1], &in[2]};
  out.resize(3, TensorView{DType::f32, {-1}, nullptr});
  ThreadPool pool(1);
  const auto done = evaluate(node, pointers, out, pool, {});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().cause(), "node 'scan' (Scan): scanned tensor 1 has 5 slices, the first has 3");
}

TEST(Scan, AxesMustBeThere) {
  EXPECT_EQ(output_types(sums(", scan_input_axes=[2]", "f32[3, 2]", "f32[3, 2]")),
            "error: node 'scan' (Scan): axis 2 is outside a tensor of rank 2");
  EXPECT_EQ(output_types(sums(", scan_output_axes=[-3]", "f32[3, 2]", "f32[3, 2]")),
            "error: node 'scan' (Scan): axis -3 is outside a tensor of rank 2");
}

}  // namespace
}  // namespace burnish::testing
