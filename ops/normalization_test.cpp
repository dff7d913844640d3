#include <gtest/gtest.h>

#include <cmath>

#include "ops/testing.h"

namespace burnish {
namespace {

using testing::inferred;
using testing::random_tensor;
using testing::run_op;
using testing::tensor;
using testing::values;

// (x - mean) / sqrt(variance + epsilon) over the elements that `group_of` puts together; E[x²] - E[x]² in long double.
template <class G>
std::vector<double> normalized(const Tensor& x, int64_t groups, const G& group_of, double epsilon) {
  std::vector<long double> sum(static_cast<size_t>(groups)), squares = sum, count = sum;
  for (int64_t i = 0; i < x.count(); ++i) {
    const auto g = static_cast<size_t>(group_of(i));
    const long double v = x.data<float>()[i];
    sum[g] += v;
    squares[g] += v * v;
    count[g] += 1;
  }
  std::vector<double> y;
  for (int64_t i = 0; i < x.count(); ++i) {
    const auto g = static_cast<size_t>(group_of(i));
    const long double mean = sum[g] / count[g], variance = squares[g] / count[g] - mean * mean;
    y.push_back(static_cast<double>((x.data<float>()[i] - mean) / std::sqrt(variance + epsilon)));
  }
  return y;
}

void expect_scaled(const Tensor& got, const std::vector<double>& unit, const Tensor& scale,
                   const Tensor& bias, int64_t inner) {
  for (size_t i = 0; i < unit.size(); ++i) {
    const int64_t c = static_cast<int64_t>(i) / inner % scale.count();
    const double want =
        unit[i] * static_cast<double>(scale.data<float>()[c]) + static_cast<double>(bias.data<float>()[c]);
    ASSERT_NEAR(got.data<float>()[i], want, 1e-4) << "at " << i;
  }
}

TEST(Normalization, InstanceGroupLayer) {
  const Tensor x = random_tensor({2, 6, 4, 5}), scale = random_tensor({6}, 2), bias = random_tensor({6}, 3);
  const auto instance = *run_op("InstanceNormalization", {x, scale, bias}, {{"epsilon", 0.01f}});
  expect_scaled(instance[0], normalized(x, 12, [](int64_t i) { return i / 20; }, 0.01), scale, bias, 20);
  const auto group =
      *run_op("GroupNormalization", {x, scale, bias}, {{"epsilon", 0.01f}, {"num_groups", int64_t{3}}});
  expect_scaled(group[0], normalized(x, 6, [](int64_t i) { return i / 40; }, 0.01), scale, bias, 20);
  const Tensor wide = random_tensor({20}, 2), shift = random_tensor({20}, 3);
  const Tensor scale2(DType::f32, {4, 5}, wide.storage()), bias2(DType::f32, {4, 5}, shift.storage());
  const auto layer =
      *run_op("LayerNormalization", {x, scale2, bias2}, {{"axis", int64_t{-2}}, {"epsilon", 0.01f}}, 3);
  expect_scaled(layer[0], normalized(x, 12, [](int64_t i) { return i / 20; }, 0.01), wide, shift, 1);
  EXPECT_EQ(layer[1].shape(), (Shape{2, 6, 1, 1}));
  double mean = 0;
  for (int i = 0; i < 20; ++i) mean += static_cast<double>(x.data<float>()[i]) / 20;
  EXPECT_NEAR(layer[1].data<float>()[0], mean, 1e-6);
}

TEST(Normalization, Batch) {
  const Tensor x = random_tensor({2, 3, 4}), v = tensor<float>({3}, {4, 9, 16}), mean = random_tensor({3}, 5);
  const Tensor scale = random_tensor({3}, 6), bias = random_tensor({3}, 7);
  const auto y = *run_op("BatchNormalization", {x, scale, bias, mean, v}, {{"epsilon", 0.0f}});
  std::vector<double> unit;
  for (int64_t i = 0; i < x.count(); ++i)
    unit.push_back(static_cast<double>(x.data<float>()[i] - mean.data<float>()[i / 4 % 3]) /
                   static_cast<double>(i / 4 % 3 + 2));
  expect_scaled(y[0], unit, scale, bias, 4);
}

TEST(Normalization, RootMeanSquareAndLrn) {
  const auto y = *run_op("RMSNormalization", {tensor<float>({1, 2}, {3, 4}), tensor<float>({1}, {2})},
                         {{"epsilon", 0.0f}});
  EXPECT_NEAR(y[0].data<float>()[0], 2 * 3 / std::sqrt(12.5), 1e-6);
  const auto z = *run_op("LRN", {tensor<float>({1, 4, 1}, {1, 2, 3, 4})},
                         {{"size", int64_t{2}}, {"alpha", 1.0f}, {"beta", 1.0f}, {"bias", 0.0f}});
  // Two channels: one's own and the next.
  const float want[] = {1 / 2.5f, 2 / 6.5f, 3 / 12.5f, 4 / 8.0f};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(z[0].data<float>()[i], want[i], 1e-6) << i;
}

TEST(Normalization, Infers) {
  EXPECT_EQ(inferred("LayerNormalization", {"f32[b, s, 768]", "f32[768]", "f32[768]"}), "f32[b, s, 768]");
  EXPECT_EQ(inferred("LayerNormalization", {"f32[b, s, 768]", "f32[2, 768]"}),
            "error: node 't' (LayerNormalization): the scale of shape [2, 768] does not broadcast to [768]");
  EXPECT_EQ(
      inferred("GroupNormalization", {"f32[b, 6, s]", "f32[6]", "f32[6]"}, {{"num_groups", int64_t{4}}}),
      "error: node 't' (GroupNormalization): 6 channels do not split into 4 groups");
  EXPECT_EQ(inferred("InstanceNormalization", {"f32[b, 6, s]", "f32[5]", "f32[6]"}),
            "error: node 't' (InstanceNormalization): the scale must have one element per channel: 5 and 6 "
            "are never equal");
}

}  // namespace
}  // namespace burnish
