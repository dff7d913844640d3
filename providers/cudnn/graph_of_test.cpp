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

/// "0 f16 2x8x5x5 by 200x1x40x8 i0": its tensors, one a line (what is in memory with the operand); then its operations.
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
  node.graph.tensors.clear();
  return out + print(node.graph);
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
            "convolution 0 1 2 0x1 1x0 2x2 1x1\n");
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
      "convolution 0 1 2 0x1 1x0 2x2 1x1\n"
      "pointwise 0 2 3 to 4\n"
      "pointwise 0 4 5 to 6\n"
      "pointwise 106 6 to 7\n");
}

TEST(GraphOf, AShiftOfEachImageIsRefused) {
  const std::string shifted = read(
      "graph (%x: f16[2, 2, 3, 3], %t: f16[2, 4, 1, 1]) -> (%y) {\n"
      "  %w = constant f16[4, 2, 1, 1] {1, 2, 3, 4, 5, 6, 7, 8}\n"
      "  %y = Fused(%x, %w, %t) : f16[2, 4, 3, 3] {\n"
      "    graph body(%0: f16[2, 2, 3, 3], %1: f16[4, 2, 1, 1], %2: f16[2, 4, 1, 1]) -> (%q) {\n"
      "      %p = Conv(%0, %1) {strides=[1, 1], dilations=[1, 1], pads=[0, 0, 0, 0]} : f16[2, 4, 3, 3]\n"
      "      %q = Add(%p, %2) : f16[2, 4, 3, 3] @\"shift\"\n    }\n  }\n}",
      Layout::dense);
  EXPECT_EQ(shifted, "an operand of node 'shift' (Add) differs by image, but not all over it");
}

/// Attention of 2 images with 3 heads of 8; `keys` and `mask` are the types of keys (values are like them) and of a mask.
std::string attention(const std::string& keys, const std::string& mask) {
  return "graph (%q: f16[2, 3, 5, 8], %k: " + keys + ", %v: " + keys + (mask.empty() ? "" : ", %m: " + mask) +
         ") -> (%y) {\n  %y = Attention(%q, %k, %v" + (mask.empty() ? "" : ", %m") +
         ") {scale=0.5} : f16[2, 3, 5, 8]\n}";
}

TEST(GraphOf, AnAttention) {
  EXPECT_EQ(read(attention("f16[2, 3, 7, 8]", "f16[3, 1, 7]"), Layout::dense),
            "0 f16 2x3x5x8 by 120x40x8x1 i0\n"
            "1 f16 2x3x8x7 by 168x56x1x8 i1\n"
            "2 f16 2x3x7x8 by 168x56x8x1 i2\n"
            "3 f32 2x3x5x7 by 105x35x7x1\n"
            "4 f32 1x1x1x1 by 1x1x1x1 x0\n"
            "5 f32 2x3x5x7 by 105x35x7x1\n"
            "6 f16 1x3x1x7 by 21x7x7x1 i3\n"
            "7 f32 2x3x5x7 by 105x35x7x1\n"
            "8 f32 2x3x5x1 by 15x5x1x1\n"
            "9 f32 2x3x5x7 by 105x35x7x1\n"
            "10 f32 2x3x5x7 by 105x35x7x1\n"
            "11 f32 2x3x5x1 by 15x5x1x1\n"
            "12 f32 2x3x5x1 by 15x5x1x1\n"
            "13 f32 2x3x5x1 by 15x5x1x1\n"
            "14 f16 2x3x5x7 by 105x35x7x1\n"
            "15 f16 2x3x5x8 by 120x40x8x1 o\n"
            "matmul 0 1 to 3\n"
            "pointwise 1 3 4 to 5\n"
            "pointwise 0 5 6 to 7\n"
            "reduction 3 7 to 8\n"
            "pointwise 9 7 8 to 9\n"
            "pointwise 13 9 to 10\n"
            "reduction 0 10 to 11\n"
            "pointwise 15 11 to 12\n"
            "pointwise 0 8 12 to 13\n"
            "pointwise 6 10 11 to 14\n"
            "matmul 14 2 to 15\n");
}

TEST(GraphOf, HeadsThatShareKeysSayHowManyThereAre) {
  const std::string shared = read(attention("f16[2, 1, 7, 8]", ""), Layout::dense);
  EXPECT_TRUE(
      shared.starts_with("0 f16 2x3x5x8 by 120x40x8x1 i0\n"
                         "1 f16 2x1x8x7 by 56x56x1x8 i1\n"
                         "2 f16 2x1x7x8 by 56x56x8x1 i2\n"))
      << shared;
}

TEST(GraphOf, AxesThatAllWalkAsOneAreOne) {
  const std::string all = read(attention("f16[2, 3, 7, 8]", ""), Layout::dense);
  EXPECT_TRUE(
      all.starts_with("0 f16 1x6x5x8 by 240x40x8x1 i0\n"
                      "1 f16 1x6x8x7 by 336x56x1x8 i1\n"))
      << all;
}

TEST(GraphOf, AttentionThatTheLibraryLacksIsRefused) {
  EXPECT_EQ(read("graph (%q: f32[2, 5, 8], %k: f32[2, 7, 8]) -> (%y) {\n"
                 "  %y = Attention(%q, %k, %k) {scale=0.5} : f32[2, 5, 8]\n}",
                 Layout::dense),
            "the library has no attention on f32");
  EXPECT_EQ(read("graph (%q: f16[2, 3, 4, 5, 8], %k: f16[2, 3, 1, 7, 8], %v: f16[1, 3, 4, 7, 8]) -> (%y) {\n"
                 "  %y = Attention(%q, %k, %v) {scale=0.5} : f16[2, 3, 4, 5, 8]\n}",
                 Layout::dense),
            "more than two batch axes are walked");
  EXPECT_EQ(read("graph (%q: f16[n, 5, 8], %k: f16[n, 7, 8]) -> (%y) where n = input(%q, 0) {\n"
                 "  %y = Attention(%q, %k, %k) {scale=0.5} : f16[n, 5, 8]\n}",
                 Layout::dense),
            "its extents are decided by the inputs of a run, or empty");
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
            "it is no convolution and no attention");
}

}  // namespace
}  // namespace burnish::cudnn
