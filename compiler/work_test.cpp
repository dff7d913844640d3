#include "compiler/work.h"

#include <gtest/gtest.h>

#include "ir/text.h"

namespace burnish {
namespace {

struct Numbers {
  int64_t flops, bytes_read, bytes_written;
  bool operator==(const Numbers&) const = default;
};

/// Of the last node of a graph in text, all of its operands lying row-major.
Numbers work_in(std::string_view text) {
  auto graph = parse(text);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause());
  if (!graph) return {};
  const Node& node = graph->nodes.back();
  DimTable& dims = *graph->dims;
  std::vector<std::optional<Placed>> in;
  for (ValueId v : node.inputs)
    in.push_back(Placed{0, {dims.constant(0), dense_strides(dims, graph->values[v].type.shape)}});
  const WorkDims work = work_of(*graph, node, in);
  return {*dims.value(work.flops), *dims.value(work.bytes_read), *dims.value(work.bytes_written)};
}

TEST(Work, OfProductsAndWindows) {
  EXPECT_EQ(
      work_in("graph (%a: f16[4, 8], %b: f16[8, 16]) -> (%y) {\n  %y = MatMul(%a, %b) : f16[4, 16]\n}\n"),
      (Numbers{2 * 4 * 16 * 8, 2 * (32 + 128), 2 * 64}));
  EXPECT_EQ(work_in("graph (%a: f32[8, 4], %b: f32[8, 16]) -> (%y) {\n"
                    "  %y = Gemm(%a, %b) {trans_a=true} : f32[4, 16]\n}\n"),
            (Numbers{2 * 4 * 16 * 8, 4 * (32 + 128), 4 * 64}));
  // 2 groups of 4 channels, windows of 3x3.
  EXPECT_EQ(work_in("graph (%x: f16[1, 8, 10, 10], %w: f16[6, 4, 3, 3]) -> (%y) {\n"
                    "  %y = Conv(%x, %w) {group=2} : f16[1, 6, 8, 8]\n}\n"),
            (Numbers{2 * 6 * 64 * 4 * 9, 2 * (800 + 216), 2 * 384}));
}

TEST(Work, OfAttentionIsBothOfItsProducts) {
  EXPECT_EQ(work_in("graph (%q: f16[2, 5, 8], %k: f16[2, 7, 8], %v: f16[2, 7, 4]) -> (%y) {\n"
                    "  %y = Attention(%q, %k, %v) : f16[2, 5, 4]\n}\n"),
            (Numbers{2 * 2 * 5 * 7 * (8 + 4), 2 * (80 + 112 + 56), 2 * 40}));
}

TEST(Work, OfAGatherIsWhatItPicks) {
  EXPECT_EQ(work_in("graph (%t: f16[1000, 8], %i: i64[3]) -> (%y) {\n  %y = Gather(%t, %i) : f16[3, 8]\n}\n"),
            (Numbers{0, 48 + 24, 48}));
}

TEST(Work, OfAFusedNodeIsThatOfItsFirstWithAllThatIsReadAndWritten) {
  EXPECT_EQ(work_in(R"(graph (%a: f16[4, 8], %b: f16[8, 16], %c: f16[16]) -> (%y) {
  %y = Fused(%a, %b, %c) : f32[4, 16] {
    graph body(%a: f16[4, 8], %b: f16[8, 16], %c: f16[16]) -> (%s) {
      %p = MatMul(%a, %b) : f16[4, 16]
      %s = Add(%p, %c) : f16[4, 16]
    }
  }
}
)"),
            (Numbers{2 * 4 * 16 * 8, 2 * (32 + 128 + 16), 4 * 64}));
}

TEST(Work, AnAxisThatStridesRepeatIsReadOnce) {
  auto graph = parse("graph (%x: f16[4, 8]) -> (%y) {\n  %y = Neg(%x) : f16[4, 8]\n}\n");
  ASSERT_TRUE(graph);
  DimTable& dims = *graph->dims;
  const std::optional<Placed> row[] = {Placed{0, {dims.constant(0), {dims.constant(0), dims.constant(1)}}}};
  const WorkDims work = work_of(*graph, graph->nodes[0], row);
  EXPECT_EQ(dims.value(work.bytes_read), 16);
  EXPECT_EQ(dims.value(work.bytes_written), 64);
}

}  // namespace
}  // namespace burnish
