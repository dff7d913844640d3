#include <gtest/gtest.h>

#include <algorithm>

#include "ops/testing.h"

// Ops that pick, place, order and find elements.
namespace burnish::testing {
namespace {

using Ints = std::vector<int64_t>;
using Reals = std::vector<float>;

TEST(Gather, PicksSlicesAndContent) {
  EXPECT_EQ(inferred("Gather", {"i64[3] = b, s, 7", tensor<int64_t>({}, {-2})}), "i64[] = [s]");
  EXPECT_EQ(inferred("Gather", {"f32[30522, 768]", "i64[b, s]"}), "f32[b, s, 768]");
  EXPECT_EQ(inferred("Gather", {"i64[2] = b, s", tensor<int64_t>({}, {2})}),
            "error: node 't' (Gather): index 2 is outside an axis of extent 2");
  auto y =
      run_op("Gather", {tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}), ints({2, -3})}, {{"axis", int64_t{1}}});
  EXPECT_EQ(values<float>(y->front()), (Reals{3, 1, 6, 4}));
  EXPECT_EQ(run_op("Gather", {random_tensor({2}), ints({5})}).error().what(),
            "node 't' (Gather): index 5 is outside an axis of extent 2");
}

TEST(Gather, OneIndexIsAViewWithoutTheAxis) {
  const Tensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  auto y = run_op("Gather", {x, tensor<int64_t>({}, {-1})}, {{"axis", int64_t{1}}});  // eval and view agree
  ASSERT_TRUE(y) << y.error().cause();
  EXPECT_EQ((*y)[0].shape(), Shape({2}));
  EXPECT_EQ(values<float>((*y)[0]), (std::vector<float>{3, 6}));
}

TEST(GridSample, ReadsBetweenElementsAndBeyondThem) {
  const Tensor x = tensor<float>({1, 1, 1, 4}, {10, 20, 30, 40});
  const Tensor grid =
      tensor<float>({1, 1, 4, 2}, {-0.25f, 0, 0.5f, 0, 1.25f, 0, -3, 0});  // x, y of each point
  auto run = [&](const char* mode, const char* padding) {
    return values<float>(
        run_op("GridSample", {x, grid}, {{"mode", std::string(mode)}, {"padding_mode", std::string(padding)}})
            ->front());
  };
  EXPECT_EQ(run("linear", "zeros"), (Reals{20, 35, 0, 0}));
  EXPECT_EQ(run("nearest", "border"), (Reals{20, 30, 40, 10}));
  EXPECT_EQ(run("linear", "reflection"), (Reals{20, 35, 40, 40}));
}

TEST(GridSample, TypesAndExtents) {
  EXPECT_EQ(inferred("GridSample", {"f16[b, 3, h, w]", "f32[b, n, m, 2]"}), "f16[b, 3, n, m]");
  EXPECT_EQ(
      inferred("GridSample", {"f32[1, 3, 4, 4]", "f32[1, 2, 2, 3]"}),
      "error: node 't' (GridSample): the grid's last axis must have an element for each axis of x after the "
      "second: 3 and 2 are never equal");
  EXPECT_EQ(inferred("GridSample", {"i32[1, 3, 4, 4]", "f32[1, 2, 2, 2]"}),
            "error: node 't' (GridSample): mode 'linear' is for floating-point types, x is i32");
}

TEST(GatherElements, AgainstIndexingByHand) {
  const Tensor x = random_tensor({4, 5}), at = random_integers<int64_t>({3, 5}, -4, 3);
  auto y = run_op("GatherElements", {x, at});
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < 5; ++j) {
      const int64_t row = at.data<int64_t>()[i * 5 + j];
      EXPECT_EQ(y->front().data<float>()[i * 5 + j], x.data<float>()[(row < 0 ? row + 4 : row) * 5 + j]);
    }
}

TEST(GatherND, BatchesAndSlices) {
  const Tensor x = tensor<int32_t>({2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  auto y = run_op("GatherND", {x, tensor<int64_t>({2, 1}, {1, 0})}, {{"batch_dims", int64_t{1}}});
  EXPECT_EQ(values<int32_t>(y->front()), (std::vector<int32_t>{2, 3, 4, 5}));
  EXPECT_EQ(inferred("GatherND", {"f32[b, n, 4]", "i64[b, k, 1]"}, {{"batch_dims", int64_t{1}}}),
            "f32[b, k, 4]");
  EXPECT_EQ(
      inferred("GatherND", {"f32[3]", "i64[2, 2]"}),
      "error: node 't' (GatherND): indices of shape [2, 2] do not fit data of shape [3] with 0 batch axes");
}

TEST(ScatterND, ReplacesAndReduces) {
  const Tensor x = tensor<float>({4}, {1, 2, 3, 4}), at = tensor<int64_t>({3, 1}, {1, 3, 1});
  const Tensor updates = tensor<float>({3}, {10, 20, 30});
  auto run = [&](std::string reduction) {
    return values<float>(
        run_op("ScatterND", {x, at, updates}, {{"reduction", std::move(reduction)}})->front());
  };
  EXPECT_EQ(run("none"), (Reals{1, 30, 3, 20}));
  EXPECT_EQ(run("add"), (Reals{1, 42, 3, 24}));
  EXPECT_EQ(run("mul"), (Reals{1, 600, 3, 80}));
  EXPECT_EQ(run("max"), (Reals{1, 30, 3, 20}));
  EXPECT_EQ(run("min"), (Reals{1, 2, 3, 4}));
  EXPECT_EQ(inferred("ScatterND", {"f32[4]", "i64[2, 1]", "f32[3]"}),
            "error: node 't' (ScatterND): axis 0 of the updates must fit indices and data: 2 and 3 are never "
            "equal");
}

TEST(ScatterElements, UndoesGatherElements) {
  Tensor order = random_integers<int64_t>({6, 1}, 0, 0);
  auto* index = reinterpret_cast<int64_t*>(order.writable());
  for (int64_t i = 0; i < 6; ++i) index[i] = (i * 5 + 2) % 6;  // a permutation
  const Tensor x = random_tensor({6, 1});
  auto picked = run_op("GatherElements", {x, order});
  auto back = run_op("ScatterElements", {Tensor::zeros(DType::f32, {6, 1}), order, picked->front()});
  EXPECT_EQ(values<float>(back->front()), values<float>(x));
}

TEST(Range, SymbolicAndFloat) {
  const Tensor zero = tensor<int64_t>({}, {0}), one = tensor<int64_t>({}, {1}),
               two = tensor<int64_t>({}, {2});
  EXPECT_EQ(inferred("Range", {zero, "i64[] = s", one}), "i64[s]");
  EXPECT_EQ(inferred("Range", {"i64[] = p", "i64[] = p + s", one}), "i64[s]");
  EXPECT_EQ(inferred("Range", {zero, "i64[] = s", two}), "i64[floor(s + 1, 2)]");
  EXPECT_EQ(inferred("Range", {"i64[] = p", "i64[] = p + 2", one}), "i64[2] = [p, p + 1]");
  EXPECT_EQ(values<float>(
                run_op("Range", {tensor<float>({}, {1}), tensor<float>({}, {2}), tensor<float>({}, {0.4f})})
                    ->front())
                .size(),
            3u);
  EXPECT_EQ(
      values<int64_t>(run_op("Range", {tensor<int64_t>({}, {5}), zero, tensor<int64_t>({}, {-2})})->front()),
      (Ints{5, 3, 1}));
  EXPECT_EQ(inferred("Range", {one, two, zero}), "error: node 't' (Range): delta is 0");
}

TEST(NonZero, FindsItsExtent) {
  EXPECT_EQ(inferred("NonZero", {"bool[b, 4]"}), "i64[2, y0.1]");
  auto y = run_op("NonZero", {tensor<float>({2, 3}, {0, 1, 0, 2, 0, 3})});
  EXPECT_EQ(y->front().shape(), (Shape{2, 3}));
  EXPECT_EQ(values<int64_t>(y->front()), (Ints{0, 1, 1, 1, 0, 2}));
}

TEST(TopK, AgainstSorting) {
  const Tensor x = random_integers<int32_t>({3, 50}, 0, 20);  // many ties
  for (bool largest : {true, false}) {
    auto y = run_op("TopK", {x, ints({17})}, {{"largest", largest}}, 2);
    ASSERT_TRUE(y);
    for (int64_t row = 0; row < 3; ++row) {
      std::vector<std::pair<int64_t, int64_t>> all;
      for (int64_t i = 0; i < 50; ++i)
        all.push_back({x.data<int32_t>()[row * 50 + i] * (largest ? -1 : 1), i});
      std::sort(all.begin(), all.end());
      for (int64_t i = 0; i < 17; ++i)
        EXPECT_EQ((*y)[1].data<int64_t>()[row * 17 + i], all[static_cast<size_t>(i)].second);
    }
  }
  EXPECT_EQ(inferred("TopK", {"f32[91, n]", "i64[1] = min(300, n)"}), "f32[91, min(300, n)]");
  EXPECT_EQ(inferred("TopK", {"f32[5]", ints({6})}), "error: node 't' (TopK): k is 6, axis 0 has extent 5");
}

TEST(NonMaxSuppression, KeepsTheBestOfWhatOverlaps) {
  // The boxes of the ONNX specification's example: two clusters and one alone.
  const Tensor boxes = tensor<float>({1, 6, 4}, {0, 0,  1, 1,  0, 0.1f,  1, 1.1f,  0, -0.1f, 1, 0.9f,
                                                 0, 10, 1, 11, 0, 10.1f, 1, 11.1f, 0, 100,   1, 101});
  const Tensor scores = tensor<float>({1, 1, 6}, {0.9f, 0.75f, 0.6f, 0.95f, 0.5f, 0.3f});
  auto run = [&](int64_t most, float iou, float score) {
    auto y = run_op("NonMaxSuppression",
                    {boxes, scores, ints({most}), tensor<float>({1}, {iou}), tensor<float>({1}, {score})});
    Ints kept;
    for (int64_t i = 0; i < y->front().shape()[0]; ++i) kept.push_back(y->front().data<int64_t>()[i * 3 + 2]);
    return kept;
  };
  EXPECT_EQ(run(3, 0.5f, 0.0f), (Ints{3, 0, 5}));
  EXPECT_EQ(run(2, 0.5f, 0.0f), (Ints{3, 0}));
  EXPECT_EQ(run(9, 0.5f, 0.4f), (Ints{3, 0}));
  EXPECT_EQ(run(0, 0.5f, 0.0f), Ints{});
  EXPECT_EQ(run(9, 1.0f, 0.0f), (Ints{3, 0, 1, 2, 4, 5}));
}

TEST(ArgMax, TiesAndNaN) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = tensor<float>({2, 4}, {1, 3, 3, 2, 5, nan, 9, nan});
  EXPECT_EQ(values<int64_t>(run_op("ArgMax", {x}, {{"axis", int64_t{1}}})->front()), (Ints{1, 1}));
  EXPECT_EQ(
      values<int64_t>(run_op("ArgMax", {x}, {{"axis", int64_t{1}}, {"select_last_index", true}})->front()),
      (Ints{2, 3}));
  EXPECT_EQ(values<int64_t>(run_op("ArgMin", {x}, {{"axis", int64_t{1}}})->front()), (Ints{0, 1}));
  EXPECT_EQ(inferred("ArgMin", {"f32[b, 3, s]"}, {{"axis", int64_t{1}}, {"keepdims", false}}), "i64[b, s]");
}

TEST(CumSum, BothWays) {
  const Tensor x = tensor<int64_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  auto run = [&](bool exclusive, bool reverse) {
    return values<int64_t>(
        run_op("CumSum", {x}, {{"axis", int64_t{1}}, {"exclusive", exclusive}, {"reverse", reverse}})
            ->front());
  };
  EXPECT_EQ(run(false, false), (Ints{1, 3, 6, 4, 9, 15}));
  EXPECT_EQ(run(true, false), (Ints{0, 1, 3, 0, 4, 9}));
  EXPECT_EQ(run(false, true), (Ints{6, 5, 3, 15, 11, 6}));
  EXPECT_EQ(run(true, true), (Ints{5, 3, 0, 11, 6, 0}));
}

TEST(OneHot, OutsideIsOff) {
  auto y = run_op("OneHot", {ints({1, -1, 3}), tensor<int64_t>({}, {3}), tensor<float>({2}, {0, 5})},
                  {{"axis", int64_t{0}}});
  EXPECT_EQ(values<float>(y->front()), (Reals{0, 0, 0, 5, 0, 0, 0, 5, 0}));
}

TEST(Triangles, TriluAndEyeLike) {
  const Tensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}), one = tensor<int64_t>({}, {1});
  EXPECT_EQ(values<float>(run_op("Trilu", {x, one})->front()), (Reals{0, 2, 3, 0, 0, 6}));
  EXPECT_EQ(values<float>(run_op("Trilu", {x}, {{"upper", false}})->front()), (Reals{1, 0, 0, 4, 5, 0}));
  EXPECT_EQ(values<float>(run_op("EyeLike", {x}, {{"k", int64_t{1}}})->front()), (Reals{0, 1, 0, 0, 0, 1}));
}

TEST(Compress, AlongAnAxisAndFlat) {
  const Tensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}), condition = tensor<bool>({2}, {false, true});
  EXPECT_EQ(values<float>(run_op("Compress", {x, condition})->front()), (Reals{4, 5, 6}));
  EXPECT_EQ(values<float>(run_op("Compress", {x, condition}, {{"flat", true}})->front()), (Reals{2}));
}

TEST(Unique, SortedAndByFirstOccurrence) {
  const Tensor x = tensor<float>({6}, {2, 1, 1, 3, 4, 3});
  auto y = run_op("Unique", {x}, {{"flat", true}, {"sorted", false}}, 4);
  EXPECT_EQ(values<float>((*y)[0]), (Reals{2, 1, 3, 4}));
  EXPECT_EQ(values<int64_t>((*y)[1]), (Ints{0, 1, 3, 4}));
  EXPECT_EQ(values<int64_t>((*y)[2]), (Ints{0, 1, 1, 2, 3, 2}));
  EXPECT_EQ(values<int64_t>((*y)[3]), (Ints{1, 2, 2, 1}));
  auto rows = run_op("Unique", {tensor<float>({3, 2}, {1, 0, 0, 9, 1, 0})}, {}, 4);
  EXPECT_EQ(values<float>((*rows)[0]), (Reals{0, 9, 1, 0}));
}

TEST(ReverseSequence, EachByItsLength) {
  const Tensor x = tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  auto y =
      run_op("ReverseSequence", {x, ints({2, 3})}, {{"batch_axis", int64_t{0}}, {"time_axis", int64_t{1}}});
  EXPECT_EQ(values<float>(y->front()), (Reals{2, 1, 3, 6, 5, 4}));
}

}  // namespace
}  // namespace burnish::testing
