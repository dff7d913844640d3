#include "cli/report/graph_text.h"

#include <gtest/gtest.h>

namespace burnish::cli::report {
namespace {

const char* const text = R"(symbols n in 2..9
graph net(%x: f32[batch, 3, 8, 8], %"a b": i64[2] = [batch, 4]) -> (%y) where batch = input(%x, 0) {
  %w = constant f16[16, 3, 3, 3] …
  %z = constant f16[] {0.5}
  %x~2 = Cast(%x) {to=f16} : f16[batch, 3, 8, 8]
  %r = Fused(%x~2, %w, _) : f16[batch, 16, 8, 8] @"conv \"1\"" @"relu" {
    graph body(%0: f16[batch, 3, 8, 8], %1: f16[16, 3, 3, 3]) -> (%3) {
      %2 = Conv(%0, %1) {pads=[1, 1, 1, 1], group=1} : f16[batch, 16, 8, 8] @"conv"
      %3 = Relu(%2) : f16[batch, 16, 8, 8] @"relu"
    }
  }
  %t, _ = TopK(%r, %"a b") : f16[batch, 4], i64[batch, 4] = [1, 2] @"top"
  %d = Conv(%r, %w) {group=16} : f16[batch, 16, 8, 8] @"depthwise"
  %y = If(%c, %t) : f16[batch, 4] @"choose" {
    graph then(%q: f16[batch, 4]) -> (%p) {
      %p = Neg(%q) : f16[batch, 4] @"negate"
    }
  }
}
)";

TEST(GraphText, TellsWhatEachLayerDoes) {
  const std::vector<TextNode> nodes = nodes_of(text);
  ASSERT_EQ(nodes.size(), 6u);
  EXPECT_EQ(nodes[0].layer(), "Cast");  // as a step without an ONNX node is named
  EXPECT_TRUE(nodes[0].nodes.empty());
  EXPECT_EQ(nodes[1].layer(), "conv \"1\" + relu");
  EXPECT_EQ(nodes[1].ops, (std::vector<std::string>{"Conv", "Relu"}));
  EXPECT_EQ(nodes[2].nodes, (std::vector<std::string>{"top"}));
  EXPECT_EQ(nodes[3].groups, 16);
  EXPECT_EQ(nodes[4].layer(), "choose");
  EXPECT_EQ(nodes[5].layer(), "negate");  // in the branch
}

TEST(GraphText, TypesAreThoseOfTheFirstOperator) {
  const std::vector<TextNode> nodes = nodes_of(text);
  ASSERT_EQ(nodes[1].inputs.size(), 2u);
  EXPECT_EQ(nodes[1].inputs[1].dtype, "f16");
  EXPECT_EQ(nodes[1].inputs[1].shape, (std::vector<std::string>{"16", "3", "3", "3"}));
  ASSERT_EQ(nodes[2].outputs.size(), 2u);
  EXPECT_EQ(nodes[2].outputs[1].dtype, "i64");
  EXPECT_EQ(nodes[2].inputs[1].shape, (std::vector<std::string>{"2"}));
  EXPECT_EQ(nodes[5].inputs[0].shape, (std::vector<std::string>{"batch", "4"}));
}

TEST(GraphText, WhatIsNoGraphHasNoNodes) {
  for (const char* other :
       {"", "}", "}}}\n{", "%", "% = ", "%a = B(", "%a = Fused(%b {", "graph", "graph x(%"})
    EXPECT_TRUE(nodes_of(other).size() <= 1) << other;
}

}  // namespace
}  // namespace burnish::cli::report
