#include "tuner/difference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/half.h"

namespace burnish {
namespace {

template <class T>
double difference(const std::vector<T>& values, const std::vector<T>& expected, DType dtype) {
  return relative_difference(std::as_bytes(std::span(values)), std::as_bytes(std::span(expected)), dtype);
}

constexpr float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();

TEST(Difference, IsThatOfTheNorms) {
  EXPECT_DOUBLE_EQ(difference<float>({3, 4}, {3, 4}, DType::f32), 0);
  EXPECT_DOUBLE_EQ(difference<float>({3, 4.5f}, {3, 4}, DType::f32), 0.1);
  EXPECT_DOUBLE_EQ(difference<double>({6}, {5}, DType::f64), 0.2);
  EXPECT_DOUBLE_EQ(difference<half>({to_half(6)}, {to_half(5)}, DType::f16), 0.2);
  EXPECT_DOUBLE_EQ(difference<bfloat16>({to_bfloat16(6)}, {to_bfloat16(5)}, DType::bf16), 0.2);
}

TEST(Difference, WhatIsNotFiniteMustBeSoInBoth) {
  EXPECT_EQ(difference<float>({nan, inf, 1}, {nan, inf, 1}, DType::f32), 0);
  for (auto [a, b] : {std::pair(nan, 1.0f), {1.0f, nan}, {inf, 1.0f}, {inf, -inf}})
    EXPECT_EQ(difference<float>({a, 1}, {b, 1}, DType::f32), inf) << a << " " << b;
  EXPECT_EQ(difference<float>({1e-30f}, {0}, DType::f32), inf);
}

TEST(Difference, IntegersAreEqualOrNot) {
  EXPECT_EQ(difference<int>({1, 2}, {1, 2}, DType::i32), 0);
  EXPECT_EQ(difference<int>({1, 2}, {1, 3}, DType::i32), inf);
}

}  // namespace
}  // namespace burnish
