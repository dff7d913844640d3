#include <gtest/gtest.h>

#include "ops/testing.h"

namespace burnish {
namespace {

using testing::inferred;
using testing::random_integers;
using testing::random_tensor;
using testing::run_op;
using testing::tensor;
using testing::values;

TEST(MatMul, BroadcastsBatches) {
  const Tensor a = random_tensor({2, 1, 3, 4}, 1), b = random_tensor({5, 4, 6}, 2);
  const auto y = values<float>((*run_op("MatMul", {a, b}))[0]);
  ASSERT_EQ(y.size(), 2u * 5 * 3 * 6);
  for (int64_t n = 0; n < 2; ++n)
    for (int64_t m = 0; m < 5; ++m)
      for (int64_t i = 0; i < 3; ++i)
        for (int64_t j = 0; j < 6; ++j) {
          double sum = 0;
          for (int64_t k = 0; k < 4; ++k)
            sum += static_cast<double>(a.data<float>()[(n * 3 + i) * 4 + k]) *
                   static_cast<double>(b.data<float>()[(m * 4 + k) * 6 + j]);
          ASSERT_NEAR(y[static_cast<size_t>(((n * 5 + m) * 3 + i) * 6 + j)], sum, 1e-5);
        }
}

TEST(MatMul, VectorsAndIntegers) {
  const Tensor row = tensor<int64_t>({2}, {10, 1}), matrix = tensor<int64_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  auto of = [](const Tensor& a, const Tensor& b) { return (*run_op("MatMul", {a, b}))[0]; };
  EXPECT_EQ(values<int64_t>(of(row, matrix)), (std::vector<int64_t>{14, 25, 36}));
  EXPECT_EQ(of(row, row).shape(), Shape{});
  EXPECT_EQ(values<int64_t>(of(row, row)), (std::vector<int64_t>{101}));
  const Tensor tall = tensor<int64_t>({2, 1, 2}, {1, 2, 3, 4});
  EXPECT_EQ(of(tall, row).shape(), (Shape{2, 1}));
  EXPECT_EQ(values<int64_t>(of(tall, row)), (std::vector<int64_t>{12, 34}));
  EXPECT_EQ(values<int32_t>(of(tensor<int32_t>({1, 1}, {1 << 30}), tensor<int32_t>({1, 1}, {4}))),
            (std::vector<int32_t>{0}));
}

TEST(MatMul, OneMatrixForAllBatches) {
  const Tensor a = random_tensor({3, 1, 4, 5}, 1), b = random_tensor({5, 7}, 2);
  const auto y = values<float>((*run_op("MatMul", {a, b}))[0]);
  const Tensor tall(DType::f32, {12, 5}, a.storage());
  EXPECT_EQ(y, values<float>((*run_op("MatMul", {tall, b}))[0]));
}

TEST(MatMul, Infers) {
  EXPECT_EQ(inferred("MatMul", {"f32[b, 1, s, 64]", "f32[12, 64, t]"}), "f32[b, 12, s, t]");
  EXPECT_EQ(inferred("MatMul", {"f32[k]", "f32[b, 8, n]"}), "f32[b, n]");
  EXPECT_EQ(
      inferred("MatMul", {"f32[2, 3]", "f32[4, 5]"}),
      "error: node 't' (MatMul): the inner extents of the product must be equal: 3 and 4 are never equal");
  EXPECT_EQ(inferred("MatMul", {"f32[2, 3]", "f64[3, 5]"}),
            "error: node 't' (MatMul): operands are of different types, f32 and f64");
}

TEST(Gemm, AllForms) {
  const Tensor a = random_tensor({4, 3}, 1), b = random_tensor({4, 5}, 2);
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{3, 1}, Shape{1, 5}, Shape{3, 5}}) {
    const Tensor c = random_tensor(shape, 3);
    const auto y =
        values<float>((*run_op("Gemm", {a, b, c}, {{"alpha", 0.5f}, {"beta", 2.0f}, {"trans_a", true}}))[0]);
    for (int64_t i = 0; i < 3; ++i)
      for (int64_t j = 0; j < 5; ++j) {
        double sum = 0;
        for (int64_t k = 0; k < 4; ++k)
          sum += static_cast<double>(a.data<float>()[k * 3 + i]) *
                 static_cast<double>(b.data<float>()[k * 5 + j]);
        const int64_t row = shape.size() == 2 && shape[0] == 3 ? i : 0,
                      column = !shape.empty() && shape.back() == 5 ? j : 0;
        const int64_t at = shape.empty() ? 0 : row * shape.back() + column;
        ASSERT_NEAR(y[static_cast<size_t>(i * 5 + j)],
                    0.5 * sum + 2 * static_cast<double>(c.data<float>()[at]), 1e-5);
      }
  }
  EXPECT_EQ(inferred("Gemm", {"f32[n, 4]", "f32[10, 4]", "f32[10]"}, {{"trans_b", true}}), "f32[n, 10]");
  EXPECT_EQ(inferred("Gemm", {"f32[2, n, 4]", "f32[10, 4]"}),
            "error: node 't' (Gemm): operand 0 must be a matrix, got shape [2, n, 4]");
}

}  // namespace
}  // namespace burnish
