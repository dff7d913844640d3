#include "ir/verify.h"

#include <gtest/gtest.h>

#include "ir/op.h"
#include "ir/text.h"

namespace burnish {
namespace {

Graph parsed(std::string_view text) {
  auto g = parse(text);
  EXPECT_TRUE(g) << (g ? "" : g.error().cause());
  return g ? *std::move(g) : Graph();
}
std::string verdict(const Graph& g, GraphStage stage = GraphStage::imported) {
  const auto r = verify(g, stage);
  return r ? "fine" : r.error().cause();
}

Graph sum() {
  return parsed(R"(graph g(%x: f32[n, 3]) -> (%y) where n = input(%x, 0) {
  %w = constant f32[3] {1, 2, 3}
  %s = Add(%x, %w) : f32[n, 3] @"first"
  %y = Add(%s, %x) : f32[n, 3] @"second"
})");
}

TEST(Verify, AcceptsAGraph) { EXPECT_EQ(verdict(sum()), "fine"); }

TEST(Verify, OperandsAreDefinedBefore) {
  Graph g = sum();
  std::swap(g.nodes[0], g.nodes[1]);
  EXPECT_EQ(verdict(g), "node 'second' (Add): operand 's' is not defined before it");
  g = sum();
  g.nodes[1].outputs = g.nodes[0].outputs;
  EXPECT_EQ(verdict(g), "node 'second' (Add): value 's' is defined twice");
  g = sum();
  g.nodes[1].dead = true;
  EXPECT_EQ(verdict(g), "graph 'g': output 'y' is not defined");
  g = sum();
  g.nodes[0].inputs[0] = 99;
  EXPECT_EQ(verdict(g), "node 'first' (Add): operand v99 is not defined before it");
}

TEST(Verify, TypesAreWhatInferenceGives) {
  Graph g = sum();
  g.values[g.nodes[0].outputs[0]].type.dtype = DType::f16;
  EXPECT_EQ(verdict(g),
            "node 'first' (Add): its result 's' is said to be f16[n, 3], inference gives f32[n, 3]");
  g = sum();
  g.nodes[0].inputs.pop_back();
  EXPECT_EQ(verdict(g), "node 'first' (Add): takes 2 inputs, got 1");
  g = sum();
  g.values[g.nodes[0].inputs[1]].type.shape = {g.dims->constant(4)};
  EXPECT_EQ(verdict(g), "constant 'w': its type is not its tensor's");
}

TEST(Verify, RegionsStandAlone) {
  Graph g = parsed(R"(graph g(%c: bool[], %x: f32[2]) -> (%y) {
  %y = If(%c, %x) : f32[2] @"choose" {
    graph then(%a: f32[2]) -> (%b) {
      %b = Add(%a, %a) : f32[2] @"inner"
    }
  }
})");
  EXPECT_EQ(verdict(g), "fine");
  g.nodes[0].regions[0].nodes[0].inputs[0] = 7;
  EXPECT_EQ(verdict(g),
            "node 'inner' (Add): operand v7 is not defined before it, while checking a region of node "
            "'choose' (If)");
}

TEST(Verify, StageDecidesWhatMayRemain) {
  EXPECT_EQ(verdict(sum(), GraphStage::lowerable),
            "node 'first' (Add): the operator can not be run");  // the tests' Add has no eval
  Graph g = parsed("graph g(%x: f32[n, m]) -> (%x) where n = input(%x, 0) {\n}");
  EXPECT_EQ(verdict(g), "fine");
  EXPECT_EQ(verdict(g, GraphStage::lowerable), "value 'x': nothing tells extent 'm' when the engine runs");
}

}  // namespace
}  // namespace burnish
