#include <gtest/gtest.h>

#include <limits>

#include "ops/testing.h"

// Shape arithmetic as exporters leave it: what it comes to in symbols.
namespace burnish::testing {
namespace {

using Ints = std::vector<int64_t>;
constexpr int64_t whole = std::numeric_limits<int64_t>::max();

TEST(Shape, GivesTheExtentsAndAWindowOfThem) {
  EXPECT_EQ(inferred("Shape", {"f32[batch, 3, 2*width]"}), "i64[3] = [batch, 3, 2*width]");
  EXPECT_EQ(inferred("Shape", {"f32[batch, 3, width]"}, {{"start", int64_t{-2}}}), "i64[2] = [3, width]");
  EXPECT_EQ(inferred("Shape", {"f32[batch, 3, width]"}, {{"end", int64_t{1}}}), "i64[1] = [batch]");
  EXPECT_EQ(inferred("Size", {"f32[batch, 3, batch]"}), "i64[] = [3*batch*batch]");
}

TEST(Shape, ChainOverSymbolsReachesReshape) {  // x.view(batch, sequence, 12, -1).transpose(1, 2)
  TestGraph t;
  const ValueId x = *t.input("f32[batch, sequence, 768]");
  const ValueId shape = t.add("Shape", {x})->front();
  std::vector<ValueId> parts;
  for (int64_t axis : {0, 1}) {
    const ValueId one = t.add("Gather", {shape, t.graph.add_constant(tensor<int64_t>({}, {axis}))})->front();
    parts.push_back(t.add("Unsqueeze", {one}, {{"axes", Ints{0}}})->front());
  }
  parts.push_back(t.graph.add_constant(ints({12})));
  parts.push_back(t.graph.add_constant(ints({-1})));
  const ValueId target = t.add("Concat", parts)->front();
  EXPECT_EQ(t.text(target), "i64[4] = [batch, sequence, 12, -1]");
  const ValueId heads = t.add("Reshape", {x, target})->front();
  EXPECT_EQ(t.text(heads), "f32[batch, sequence, 12, 64]");
  const ValueId moved = t.add("Transpose", {heads}, {{"perm", Ints{0, 2, 1, 3}}})->front();
  EXPECT_EQ(t.text(moved), "f32[batch, 12, sequence, 64]");
}

TEST(Reshape, FindsTheRestCopiesAndChecksCounts) {
  EXPECT_EQ(inferred("Reshape", {"f32[batch, 8, 4]", ints({0, -1})}), "f32[batch, 32]");
  EXPECT_EQ(inferred("Reshape", {"f32[batch, height, width, 96]", ints({-1, 96})}),
            "f32[batch*height*width, 96]");
  EXPECT_EQ(inferred("Reshape", {"f32[0, 3]", ints({0, -1})}), "f32[0, 3]");
  EXPECT_EQ(inferred("Reshape", {"f32[0, 3]", ints({3, 0})}, {{"allowzero", true}}), "f32[3, 0]");
  EXPECT_EQ(inferred("Reshape", {"f32[batch, 512, 1, 1]", ints({1, 512})}),
            "f32[1, 512]");  // batch is forced
  EXPECT_EQ(inferred("Reshape", {"f32[2, 3]", ints({4})}),
            "error: node 't' (Reshape): shape [2, 3] cannot become [4]: 6 elements are not 4");
  EXPECT_EQ(inferred("Reshape", {"f32[2, 3]", ints({-1, -1})}),
            "error: node 't' (Reshape): asks for more than one extent of -1");
  EXPECT_EQ(inferred("Reshape", {"f32[2, 3]", ints({4, -1})}),
            "error: node 't' (Reshape): the input's 6 elements must divide by 4 without a rest: 6 and 4 are "
            "never equal");
}

TEST(Reshape, ShapeReadAtRunTime) {
  TestGraph t;
  const ValueId x = *t.input("f32[n, 6]"), shape = *t.input("i64[2]");
  const ValueId y = t.add("Reshape", {x, shape})->front();
  DimTable& dims = *t.graph.dims;
  auto extents = [&](int64_t n, int64_t a, int64_t b) {
    Ints out;
    for (Dim d : t.graph.values[y].type.shape)
      out.push_back(dims.evaluate(d, [&](Dim s) {
        return dims.name(s) == "n" ? n : dims.name(s) == "x1.0" ? a : b;
      }));
    return out;
  };
  EXPECT_EQ(extents(4, 8, 3), (Ints{8, 3}));
  EXPECT_EQ(extents(4, -1, 3), (Ints{8, 3}));
  EXPECT_EQ(extents(4, 0, -1), (Ints{4, 6}));
}

TEST(Reshape, IsAViewWhereStridesAllow) {
  auto viewed = [](std::string_view shape, const Ints& perm,
                   const std::vector<std::string>& target) -> std::string {
    TestGraph t;
    const ValueId x = *t.input(shape);
    const ValueId moved = t.add("Transpose", {x}, {{"perm", perm}})->front();
    DimTable& dims = *t.graph.dims;
    std::string text = "i64[" + std::to_string(target.size()) + "] = ";
    for (size_t i = 0; i < target.size(); ++i) text += (i ? ", " : "") + target[i];
    if (!t.add("Reshape", {moved, *t.input(text)})) return "error";
    std::vector<StridedView> out(1), last(1);
    const StridedView in{dims.constant(0), dense_strides(dims, t.graph.values[x].type.shape)};
    ViewCtx first{t.graph, t.graph.nodes[0], dims, t.graph.values[x].type.shape, in, out};
    if (!t.graph.nodes[0].op->view(first)) return "no";
    ViewCtx second{t.graph, t.graph.nodes[1], dims, t.graph.values[moved].type.shape, out[0], last};
    return t.graph.nodes[1].op->view(second) ? dims.text(last[0].strides) : "no";
  };
  EXPECT_EQ(viewed("f32[b, s, 96]", {0, 1, 2}, {"b*s", "12", "8"}), "[96, 8, 1]");
  EXPECT_EQ(viewed("f32[b, s, 96]", {2, 0, 1}, {"96", "b*s"}), "[1, 96]");
  EXPECT_EQ(viewed("f32[b, s, 96]", {0, 2, 1}, {"b", "12", "8", "s"}), "[96*s, 8, 1, 96]");
  EXPECT_EQ(viewed("f32[b, s, 96]", {0, 2, 1}, {"b", "96*s"}), "no");
  EXPECT_EQ(viewed("f32[b, s, 96]", {1, 0, 2}, {"s*b", "96"}), "no");
}

TEST(Expand, BroadcastsAndFillsContent) {
  EXPECT_EQ(inferred("Expand", {"f32[1, 1, sequence]", "i64[3] = batch, 1, 1"}), "f32[batch, 1, sequence]");
  EXPECT_EQ(inferred("Expand", {tensor<int64_t>({}, {1}), ints({3})}), "i64[3] = [1, 1, 1]");
  EXPECT_EQ(inferred("Expand", {"f32[2, 3]", ints({2, 4})}),
            "error: node 't' (Expand): shapes [2, 3] and [2, 4] do not broadcast: axis 1 has 3 and 4");
  auto y = run_op("Expand", {tensor<float>({2, 1}, {1, 2}), ints({2, 1, 3})});
  EXPECT_EQ(values<float>(y->front()), (std::vector<float>{1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}));
}

TEST(Slice, SymbolicExtentsStayClean) {
  const Tensor zero = ints({0}), one = ints({1}), all = ints({whole});
  EXPECT_EQ(inferred("Slice", {"f32[batch, s, 768]", zero, all, one}), "f32[batch, s, 768]");
  EXPECT_EQ(inferred("Slice", {"f32[batch, s, 768]", one, all, one}), "f32[batch, s - 1, 768]");
  EXPECT_EQ(inferred("Slice", {"f32[batch, s, 768]", ints({-1}), all, one}), "f32[batch, 1, 768]");
  EXPECT_EQ(inferred("Slice", {"f32[batch, s, 768]", zero, ints({-1}), one}), "f32[batch, s - 1, 768]");
  EXPECT_EQ(inferred("Slice", {"f32[1, 512]", zero, "i64[1] = s", one}), "f32[1, min(512, s)]");
  EXPECT_EQ(inferred("Slice", {"f32[a, 2*h]", zero, all, one, ints({2})}), "f32[a, h]");
  EXPECT_EQ(inferred("Slice", {"f32[a]", ints({-1}), ints({-whole}), zero, ints({-1})}), "f32[a]");
  EXPECT_EQ(inferred("Slice", {"i64[4] = 5, batch, s, 8", one, ints({-1}), zero}), "i64[2] = [batch, s]");
}

TEST(Slice, AgainstIndexingByHand) {
  const Tensor x = random_tensor({5, 7});
  for (int64_t step : {1, 2, 3, -1, -2, -4})
    for (int64_t start : {-9, -3, 0, 2, 6, 20})
      for (int64_t end : {-20, -8, -2, 0, 4, 7, 30}) {
        auto y = run_op("Slice", {x, ints({start}), ints({end}), ints({1}), ints({step})});
        ASSERT_TRUE(y);
        // Walk all that the step can reach, keep what lies inside.
        int64_t s = start < 0 ? start + 7 : start, e = end < 0 ? end + 7 : end;
        s = std::max<int64_t>(0, std::min<int64_t>(s, step > 0 ? 7 : 6));
        std::vector<float> want;
        for (int64_t row = 0; row < 5; ++row)
          for (int64_t i = s; step > 0 ? i < e && i < 7 : i > e && i >= 0; i += step)
            want.push_back(x.data<float>()[row * 7 + i]);
        EXPECT_EQ(values<float>(y->front()), want) << start << ":" << end << ":" << step;
      }
  EXPECT_EQ(inferred("Slice", {"f32[3]", ints({0}), ints({1}), ints({1})}),
            "error: node 't' (Slice): axis 1 is outside a tensor of rank 1");
}

TEST(Split, PartsAndContent) {
  auto parts = infer_op("Split", {"f32[b, 10]"}, {{"axis", int64_t{1}}}, 4);
  EXPECT_EQ(*parts, (std::vector<std::string>{"f32[b, 3]", "f32[b, 3]", "f32[b, 3]", "f32[b, 1]"}));
  EXPECT_EQ(inferred("Split", {"f32[b, 10]", ints({10})}, {{"axis", int64_t{1}}}), "f32[b, 10]");
  EXPECT_EQ(infer_op("Split", {"i64[3] = a, b, c", ints({1, 2})}, {}, 2)->at(1), "i64[2] = [b, c]");
  EXPECT_EQ(
      infer_op("Split", {"f32[b, 10]", ints({4, 5})}, {{"axis", int64_t{1}}}, 2).error().what(),
      "node 't' (Split): the parts together must be axis 1, which they split: 10 and 9 are never equal");
  const Tensor x = random_tensor({2, 5});
  auto y = run_op("Split", {x, ints({2, 3})}, {{"axis", int64_t{1}}}, 2);
  const float* v = x.data<float>();
  EXPECT_EQ(values<float>((*y)[1]), (std::vector<float>{v[2], v[3], v[4], v[7], v[8], v[9]}));
}

TEST(Concat, AddsExtentsAndJoinsSymbols) {
  EXPECT_EQ(inferred("Concat", {"f32[b, past, 64]", "f32[b, s, 64]"}, {{"axis", int64_t{-2}}}),
            "f32[b, past + s, 64]");
  EXPECT_EQ(inferred("Concat", {"f32[b, 3]", "f32[b, 4]"}),
            "error: node 't' (Concat): axis 1 of operand 1 must be as in the first: 3 and 4 are never equal");
  auto y = run_op("Concat", {tensor<int32_t>({2, 1}, {1, 2}), tensor<int32_t>({2, 2}, {3, 4, 5, 6})},
                  {{"axis", int64_t{1}}});
  EXPECT_EQ(values<int32_t>(y->front()), (std::vector<int32_t>{1, 3, 4, 2, 5, 6}));
}

TEST(Squeeze, ForcesOne) {
  EXPECT_EQ(inferred("Squeeze", {"f32[b, n, 4]"}, {{"axes", Ints{1}}}), "f32[b, 4]");
  EXPECT_EQ(
      inferred("Squeeze", {"f32[b, 3]"}, {{"axes", Ints{-1}}}),
      "error: node 't' (Squeeze): axis 1 is squeezed, so its extent must be 1: 3 and 1 are never equal");
  EXPECT_EQ(inferred("Unsqueeze", {"f32[b, 3]"}, {{"axes", Ints{0, -1}}}), "f32[1, b, 3, 1]");
}

TEST(Transpose, AgainstIndexingByHand) {
  const Tensor x = random_tensor({3, 4, 5});
  auto y = run_op("Transpose", {x}, {{"perm", Ints{2, 0, 1}}});
  for (int64_t i = 0; i < 5; ++i)
    for (int64_t j = 0; j < 3; ++j)
      for (int64_t k = 0; k < 4; ++k)
        EXPECT_EQ(y->front().data<float>()[(i * 3 + j) * 4 + k], x.data<float>()[(j * 4 + k) * 5 + i]);
  EXPECT_EQ(inferred("Transpose", {"f32[a, b, c]"}), "f32[c, b, a]");
}

TEST(Tile, RepeatsSymbolsAndElements) {
  EXPECT_EQ(inferred("Tile", {"f32[1, 5]", "i64[2] = batch, 2"}), "f32[batch, 10]");
  auto y = run_op("Tile", {tensor<float>({2, 2}, {1, 2, 3, 4}), ints({2, 2})});
  EXPECT_EQ(values<float>(y->front()), (std::vector<float>{1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4}));
}

TEST(Pad, ModesNegativePadsAndSymbols) {
  auto padded = [](std::string mode, const Ints& pads) {
    return values<float>(
        run_op("Pad", {tensor<float>({4}, {1, 2, 3, 4}), ints(pads)}, {{"mode", std::move(mode)}})->front());
  };
  using Reals = std::vector<float>;
  EXPECT_EQ(padded("constant", {1, 2}), (Reals{0, 1, 2, 3, 4, 0, 0}));
  EXPECT_EQ(padded("constant", {-1, 1}), (Reals{2, 3, 4, 0}));
  EXPECT_EQ(padded("reflect", {2, 3}), (Reals{3, 2, 1, 2, 3, 4, 3, 2, 1}));
  EXPECT_EQ(padded("edge", {2, 1}), (Reals{1, 1, 1, 2, 3, 4, 4}));
  EXPECT_EQ(padded("wrap", {1, 2}), (Reals{4, 1, 2, 3, 4, 1, 2}));
  EXPECT_EQ(inferred("Pad", {"f32[b, h, w]", ints({1, -1}), "", ints({1})}), "f32[b, h, w]");
  EXPECT_EQ(inferred("Pad", {"f32[b, h]", ints({1, 1})}),
            "error: node 't' (Pad): has 2 pads for 2 axes; there must be two for each");
}

}  // namespace
}  // namespace burnish::testing
