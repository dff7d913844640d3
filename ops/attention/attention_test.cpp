#include <gtest/gtest.h>

#include <cmath>

#include "ops/testing.h"

namespace burnish::testing {
namespace {

/// y[b] = softmax(scale * q[b] k[b]^T + mask[b]) v[b] in binary64, operands written out over the batch.
std::vector<double> by_hand(const Tensor& q, const Tensor& k, const Tensor& v,
                            const std::vector<double>& mask, int64_t batch, double scale) {
  const int64_t queries = q.shape()[q.shape().size() - 2], dim = q.shape().back();
  const int64_t keys = k.shape()[k.shape().size() - 2], columns = v.shape().back();
  std::vector<double> y;
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = 0; i < queries; ++i) {
      std::vector<double> weights(static_cast<size_t>(keys));
      double sum = 0;
      for (int64_t j = 0; j < keys; ++j) {
        double score = 0;
        for (int64_t d = 0; d < dim; ++d)
          score += double{q.data<float>()[(b * queries + i) * dim + d]} *
                   double{k.data<float>()[(b * keys + j) * dim + d]};
        const auto at = static_cast<size_t>((b * queries + i) * keys + j);
        sum += weights[static_cast<size_t>(j)] = std::exp(score * scale + mask[at]);
      }
      for (int64_t e = 0; e < columns; ++e) {
        double value = 0;
        for (int64_t j = 0; j < keys; ++j)
          value +=
              weights[static_cast<size_t>(j)] / sum * double{v.data<float>()[(b * keys + j) * columns + e]};
        y.push_back(value);
      }
    }
  return y;
}

void expect_near(const Tensor& got, const std::vector<double>& want) {
  ASSERT_EQ(got.count(), static_cast<int64_t>(want.size()));
  for (size_t i = 0; i < want.size(); ++i)
    EXPECT_NEAR(got.data<float>()[i], want[i], 1e-5) << "element " << i;
}

TEST(Attention, IsTheFormula) {
  const Tensor q = random_tensor({2, 3, 5, 8}, 1), k = random_tensor({2, 3, 7, 8}, 2),
               v = random_tensor({2, 3, 7, 4}, 3), mask = random_tensor({2, 1, 5, 7}, 4);
  const NamedAttributes scale{{"scale", 0.25f}};
  auto y = run_op("Attention", {q, k, v}, scale);
  ASSERT_TRUE(y) << y.error().cause();
  expect_near((*y)[0], by_hand(q, k, v, std::vector<double>(2 * 3 * 5 * 7), 6, 0.25));

  std::vector<double> spread;  // over the three heads
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t h = 0; h < 3; ++h)
      for (int64_t i = 0; i < 35; ++i) spread.push_back(mask.data<float>()[b * 35 + i]);
  y = run_op("Attention", {q, k, v, mask}, scale);
  ASSERT_TRUE(y) << y.error().cause();
  expect_near((*y)[0], by_hand(q, k, v, spread, 6, 0.25));
}

TEST(Attention, MoreQueriesThanAreScoredAtOnce) {
  const Tensor q = random_tensor({600, 4}, 1), k = random_tensor({9, 4}, 2), v = random_tensor({9, 3}, 3);
  auto y = run_op("Attention", {q, k, v}, {{"scale", 0.5f}});
  ASSERT_TRUE(y) << y.error().cause();
  expect_near((*y)[0], by_hand(q, k, v, std::vector<double>(600 * 9), 1, 0.5));
}

TEST(Attention, HeadsOfQueriesShareKeys) {
  const Tensor q = random_tensor({3, 2, 5, 8}, 1), k = random_tensor({3, 1, 7, 8}, 2),
               v = random_tensor({3, 1, 7, 8}, 3);
  auto twice = [](const Tensor& x) {
    Tensor all = Tensor::zeros(DType::f32, {3, 2, 7, 8});
    for (int64_t b = 0; b < 6; ++b)
      std::memcpy(all.writable() + b * 56 * 4, x.bytes() + b / 2 * 56 * 4, 56 * 4);
    return all;
  };
  auto y = run_op("Attention", {q, k, v});
  ASSERT_TRUE(y) << y.error().cause();
  expect_near((*y)[0], by_hand(q, twice(k), twice(v), std::vector<double>(6 * 5 * 7), 6, 1));
}

TEST(Attention, RowsWithoutAnythingToSeeAreNaNAsSoftmaxHasThem) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  const Tensor x = random_tensor({4, 2}), mask = tensor<float>({4, 4}, {-inf, -inf, -inf, -inf,  //
                                                                        nan, 0, 0, 0,            //
                                                                        0, inf, 0, 0,            //
                                                                        -inf, -inf, 0, -inf});
  auto y = run_op("Attention", {x, x, x, mask});
  ASSERT_TRUE(y) << y.error().cause();
  const auto rows = values<float>((*y)[0]);
  for (size_t i = 0; i < 6; ++i) EXPECT_TRUE(std::isnan(rows[i])) << "element " << i;
  EXPECT_EQ(rows[6], x.data<float>()[4]);
  EXPECT_EQ(rows[7], x.data<float>()[5]);
}

TEST(Attention, WithoutKeysThereIsNothingToSum) {
  auto y = run_op("Attention", {random_tensor({2, 4}), random_tensor({0, 4}), random_tensor({0, 3})});
  ASSERT_TRUE(y) << y.error().cause();
  EXPECT_EQ(values<float>((*y)[0]), std::vector<float>(6));
}

TEST(Attention, TypesAndShapes) {
  EXPECT_EQ(inferred("Attention", {"f16[b, 12, s, 64]", "f16[b, 12, n, 64]", "f16[b, 12, n, 32]"}),
            "f16[b, 12, s, 32]");
  EXPECT_EQ(inferred("Attention", {"f16[b, 4, 3, s, 64]", "f16[b, 4, 1, n, 64]", "f16[b, 4, 1, n, 64]",
                                   "f16[b, 1, 1, s, n]"}),
            "f16[b, 4, 3, s, 64]");
  EXPECT_EQ(
      inferred("Attention", {"f16[5, 8]", "f16[7, 9]", "f16[7, 4]"}),
      "error: node 't' (Attention): queries and keys must have the same head dim: 8 and 9 are never equal");
  EXPECT_EQ(inferred("Attention", {"f16[5, 8]", "f16[7, 8]", "f16[6, 4]"}),
            "error: node 't' (Attention): there must be as many values as keys: 7 and 6 are never equal");
  EXPECT_EQ(inferred("Attention", {"f16[5, 8]", "f16[7, 8]", "f16[7, 4]", "f32[5, 7]"}),
            "error: node 't' (Attention): the mask is f32, the queries f16");
  EXPECT_EQ(inferred("Attention", {"f16[5, 8]", "f16[7, 8]", "f16[7, 4]", "f16[2, 5, 7]"}),
            "error: node 't' (Attention): the mask of shape [2, 5, 7] does not broadcast to [5, 7]");
  EXPECT_EQ(inferred("Attention", {"f16[5, 8]", "f16[7, 8]", "f16[7, 4]"}, {{"scale", 0.0f}}),
            "error: node 't' (Attention): the scale must be positive, not 0.000000");
}

}  // namespace
}  // namespace burnish::testing
