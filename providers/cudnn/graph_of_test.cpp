#include "providers/cudnn/graph_of.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "providers/nvrtc/kernel_testing.h"

namespace burnish::cudnn {
namespace {

using nvrtc::testing::FreeOperands;
using nvrtc::testing::Layout;

std::string text_of(const std::vector<int64_t>& list) {
  std::string text;
  for (int64_t v : list) text += (text.empty() ? "" : "x") + std::to_string(v);
  return text;
}

/// "0 f16 2x8x5x5 by 200x1x40x8 i0": its tensors, one a line (what is in memory with the operand); then the convolution's and
/// the pointwise operations' tensors.
std::string read(const std::string& text, Layout layout = Layout::channels_last) {
  auto graph = parse(text);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause());
  FreeOperands ctx(*graph, graph->nodes.back(), layout, layout, "sm_90");
  NodeGraph node;
  if (const Verdict v = graph_of(ctx, node); !v) return v.reason();
  std::string out;
  for (size_t i = 0; i < node.graph.tensors.size(); ++i) {
    const auto& t = node.graph.tensors[i];
    out += std::to_string(i) + " " + std::string(name_of(t.dtype)) + " " + text_of(t.extents) + " by " +
           text_of(t.strides);
    for (size_t k = 0; k < node.tensors.size(); ++k)
      if (node.tensors[k] == i) {
        const OperandPointer p = node.operands[k];
        out += p.kind == OperandPointer::Kind::output  ? " o"
               : p.kind == OperandPointer::Kind::extra ? " x" + std::to_string(p.index)
                                                       : " i" + std::to_string(p.index);
      }
    out += "\n";
  }
  const auto& c = node.graph.convolution;
  out += std::to_string(c.x) + " * " + std::to_string(c.w) + " -> " + std::to_string(c.y) + "\n";
  for (const auto& p : node.graph.pointwise)
    out += std::to_string(p.mode) + ": " + std::to_string(p.x) + (p.b ? ", " + std::to_string(*p.b) : "") +
           " -> " + std::to_string(p.y) + (p.upper_clip ? " up to " + std::to_string(*p.upper_clip) : "") +
           "\n";
  return out;
}

const std::string weights = "  %w = constant f16[1, 8, 1, 1] {1, 2, 3, 4, 5, 6, 7, 8}\n";
const std::string plain = "{strides=[2, 2], dilations=[1, 1], pads=[0, 1, 1, 0]}";

/// A convolution with what follows it.
std::string fused(const std::string& follows, const std::string& result) {
  return "graph (%x: f16[2, 8, 5, 5], %b: f16[1], %r: f16[2, 1, 3, 3]) -> (%y) {\n" + weights +
         "  %y = Fused(%x, %w, %b, %r) : f16[2, 1, 3, 3] {\n"
         "    graph body(%0: f16[2, 8, 5, 5], %1: f16[1, 8, 1, 1], %2: f16[1], %3: f16[2, 1, 3, 3]) -> (" +
         result +
         ") {\n"
         "      %p = Conv(%0, %1, %2) " +
         plain + " : f16[2, 1, 3, 3]\n" + follows + "    }\n  }\n}";
}

TEST(GraphOf, AConvolutionAlone) {
  EXPECT_EQ(read("graph (%x: f16[2, 8, 5, 5]) -> (%y) {\n" + weights + "  %y = Conv(%x, %w) " + plain +
                 " : f16[2, 1, 3, 3]\n}"),
            "0 f16 2x8x5x5 by 200x1x40x8 i0\n"
            "1 f16 1x8x1x1 by 8x1x8x8 x0\n"
            "2 f16 2x1x3x3 by 9x1x3x1 o\n"
            "0 * 1 -> 2\n");
}

TEST(GraphOf, WhatFollowsStaysOutOfMemoryUpToTheResult) {
  EXPECT_EQ(
      read(fused("      %q = Add(%p, %3) : f16[2, 1, 3, 3]\n      %t = Swish(%q) : f16[2, 1, 3, 3]\n", "%t")),
      "0 f16 2x8x5x5 by 200x1x40x8 i0\n"
      "1 f16 1x8x1x1 by 8x1x8x8 x0\n"
      "2 f32 2x1x3x3 by 9x1x3x1\n"
      "3 f16 1x1x1x1 by 1x1x1x1 i2\n"
      "4 f32 2x1x3x3 by 9x1x3x1\n"
      "5 f16 2x1x3x3 by 9x1x3x1 i3\n"
      "6 f32 2x1x3x3 by 9x1x3x1\n"
      "7 f16 2x1x3x3 by 9x1x3x1 o\n"
      "0 * 1 -> 2\n"
      "0: 2, 3 -> 4\n"
      "0: 4, 5 -> 6\n"
      "106: 6 -> 7\n");
}

TEST(GraphOf, WhatTheLibraryLacksIsRefused) {
  EXPECT_EQ(read(fused("      %q = HardSwish(%p) : f16[2, 1, 3, 3]\n", "%q")),
            "the library has no 'HardSwish'");
  EXPECT_EQ(
      read("graph (%x: f32[2, 8, 5, 5]) -> (%y) {\n  %w = constant f32[1, 8, 1, 1] {1, 2, 3, 4, 5, 6, 7, 8}\n"
           "  %y = Conv(%x, %w) " +
           plain + " : f32[2, 1, 3, 3]\n}"),
      "the library would round its operands to TF32");
  EXPECT_EQ(read("graph (%x: f16[n, 8, 5, 5]) -> (%y) where n = input(%x, 0) {\n" + weights +
                 "  %y = Conv(%x, %w) " + plain + " : f16[n, 1, 3, 3]\n}"),
            "its extents are decided by the inputs of a run, or empty");
  EXPECT_EQ(read("graph (%x: f16[2, 3], %w: f16[3, 4]) -> (%y) {\n  %y = MatMul(%x, %w) : f16[2, 4]\n}",
                 Layout::dense),
            "it is no convolution");
}

}  // namespace
}  // namespace burnish::cudnn
