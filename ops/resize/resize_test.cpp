#include <gtest/gtest.h>

#include "ops/testing.h"

namespace burnish {
namespace {

using testing::inferred;
using testing::ints;
using testing::run_op;
using testing::tensor;
using testing::values;

Tensor scales(const std::vector<float>& s) { return tensor<float>({static_cast<int64_t>(s.size())}, s); }

void expect_values(const Result<std::vector<Tensor>>& y, const std::vector<float>& want) {
  ASSERT_TRUE(y) << y.error().cause();
  ASSERT_EQ((*y)[0].count(), static_cast<int64_t>(want.size()));
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR((*y)[0].data<float>()[i], want[i], 1e-5) << "at " << i;
}

const std::string nearest = "nearest", linear = "linear", cubic = "cubic";

TEST(Resize, Nearest) {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {1, 2, 3, 4});
  expect_values(run_op("Resize", {x, Tensor(), scales({1, 1, 2, 3})}),
                {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4});
  const Tensor row = tensor<float>({1, 1, 1, 4}, {1, 2, 3, 4});
  auto shrink = [&](const char* how) {
    return run_op("Resize", {row, Tensor(), Tensor(), ints({1, 1, 1, 2})},
                  {{"nearest_mode", std::string(how)}});
  };
  expect_values(shrink("round_prefer_floor"), {1, 3});  // the positions are 0.5 and 2.5
  expect_values(shrink("round_prefer_ceil"), {2, 4});
  expect_values(shrink("floor"), {1, 3});
  expect_values(shrink("ceil"), {2, 4});
}

TEST(Resize, LinearInEveryCoordinateMode) {
  const Tensor x = tensor<float>({4}, {0, 10, 20, 30});
  auto to = [&](const char* mode, int64_t extent) {
    return run_op("Resize", {x, Tensor(), Tensor(), ints({extent})},
                  {{"mode", linear}, {"coordinate_transformation_mode", std::string(mode)}});
  };
  expect_values(to("half_pixel", 8), {0, 2.5f, 7.5f, 12.5f, 17.5f, 22.5f, 27.5f, 30});
  expect_values(to("asymmetric", 8), {0, 5, 10, 15, 20, 25, 30, 30});
  expect_values(to("align_corners", 7), {0, 5, 10, 15, 20, 25, 30});
  expect_values(to("pytorch_half_pixel", 1), {0});
  expect_values(to("half_pixel", 1), {15});
  expect_values(to("half_pixel_symmetric", 2), {5, 25});
}

TEST(Resize, CropsWithExtrapolation) {
  expect_values(run_op("Resize", {tensor<float>({3}, {0, 10, 20}), scales({0.5f, 1.5f}), Tensor(), ints({3})},
                       {{"mode", linear},
                        {"coordinate_transformation_mode", std::string("tf_crop_and_resize")},
                        {"extrapolation_value", -7.0f}}),
                {10, 20, -7});
}

TEST(Resize, Cubic) {
  // Keys' kernel reproduces a straight line away from the ends only with a = -0.5; the first value then shows
  // the edge rule.
  const Tensor x = tensor<float>({6}, {0, 1, 2, 3, 4, 5});
  const auto y = *run_op("Resize", {x, Tensor(), scales({2})}, {{"mode", cubic}, {"cubic_coeff_a", -0.5f}});
  for (int i = 4; i < 8; ++i) EXPECT_NEAR(y[0].data<float>()[i], (i + 0.5f) / 2 - 0.5f, 1e-6) << i;
  const auto z = *run_op("Resize", {x, Tensor(), scales({2})}, {{"mode", cubic}, {"exclude_outside", true}});
  EXPECT_EQ(z[0].count(), 12);
  for (int i = 0; i < 12; ++i)
    EXPECT_NEAR(z[0].data<float>()[i] + z[0].data<float>()[11 - i], 5, 1e-5) << i;  // symmetric
}

TEST(Resize, AntialiasAverages) {
  // Shrinking by two, the triangle spans four elements: weights 1, 3, 3, 1 out of 8.
  const auto y = *run_op("Resize", {tensor<float>({8}, {0, 0, 8, 0, 0, 0, 0, 0}), Tensor(), scales({0.5f})},
                         {{"mode", linear}, {"antialias", true}});
  EXPECT_NEAR(y[0].data<float>()[0], 1, 1e-6);
  EXPECT_NEAR(y[0].data<float>()[1], 3, 1e-6);
  EXPECT_NEAR(y[0].data<float>()[2], 0, 1e-6);
}

TEST(Resize, Extents) {
  EXPECT_EQ(inferred("Resize", {"f32[n, c, h, w]", "", scales({1, 1, 2, 0.5f})}),
            "f32[n, c, 2*h, floor(w, 2)]");
  EXPECT_EQ(inferred("Resize", {"f32[n, 3, h, w]", "", "", "i64[4] = n, 3, 2*h, w + 1"}),
            "f32[n, 3, 2*h, w + 1]");
  EXPECT_EQ(inferred("Resize", {"f32[1, 3, 10, 20]", "", "", ints({40, 50})},
                     {{"axes", std::vector<int64_t>{2, 3}},
                      {"keep_aspect_ratio_policy", std::string("not_larger")}}),
            "f32[1, 3, 25, 50]");
  EXPECT_EQ(inferred("Resize", {"f32[n, 8]", "", scales({1})}),
            "error: node 't' (Resize): scales must have 2 elements, one per axis, got 1");
  EXPECT_EQ(inferred("Resize", {"f32[n, 8]", "", scales({1, 2})}, {{"mode", std::string("area")}}),
            "error: node 't' (Resize): mode 'area' is none of nearest, linear, cubic");
}

}  // namespace
}  // namespace burnish
