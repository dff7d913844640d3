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

using Ints = std::vector<int64_t>;

// Collects the elements of each result by index arithmetic, then applies `f` to the list.
template <class F>
std::vector<double> reference(const Tensor& x, const Ints& axes, const F& f) {
  Shape shape = x.shape();
  for (int64_t axis : axes) shape[static_cast<size_t>(axis)] = 1;
  std::vector<std::vector<double>> lists(static_cast<size_t>(element_count(shape)));
  for (int64_t i = 0; i < x.count(); ++i) {
    int64_t rest = i, at = 0, stride = 1;
    for (size_t k = shape.size(); k-- > 0;) {
      at += rest % x.shape()[k] % shape[k] * stride;
      stride *= shape[k];
      rest /= x.shape()[k];
    }
    lists[static_cast<size_t>(at)].push_back(static_cast<double>(x.data<float>()[i]));
  }
  std::vector<double> out;
  for (const auto& list : lists) out.push_back(f(list));
  return out;
}

TEST(Reduce, AgainstLists) {
  using List = std::vector<double>;
  auto sum_of = [](auto g) {
    return [g](const List& l) {
      double sum = 0;
      for (double v : l) sum += g(v);
      return sum;
    };
  };
  const Tensor x = random_tensor({3, 4, 5, 6});
  auto identity = [](double v) { return v; };
  auto square = [](double v) { return v * v; };
  const std::vector<std::pair<const char*, std::function<double(const List&)>>> ops = {
      {"ReduceSum", sum_of(identity)},
      {"ReduceMean", [&](const List& l) { return sum_of(identity)(l) / static_cast<double>(l.size()); }},
      {"ReduceMax", [](const List& l) { return *std::max_element(l.begin(), l.end()); }},
      {"ReduceMin", [](const List& l) { return *std::min_element(l.begin(), l.end()); }},
      {"ReduceL1", sum_of([](double v) { return std::fabs(v); })},
      {"ReduceL2", [&](const List& l) { return std::sqrt(sum_of(square)(l)); }},
      {"ReduceSumSquare", sum_of(square)},
      {"ReduceLogSumExp",
       [&](const List& l) { return std::log(sum_of([](double v) { return std::exp(v); })(l)); }},
      {"ReduceProd",
       [](const List& l) {
         double p = 1;
         for (double v : l) p *= v;
         return p;
       }},
  };
  for (const Ints& axes : {Ints{3}, Ints{0}, Ints{1, 2}, Ints{0, 2}, Ints{1, 3}, Ints{0, 1, 2, 3}, Ints{}})
    for (const auto& [name, f] : ops) {
      auto y = run_op(name, {x}, {{"axes", axes}, {"keepdims", false}});
      ASSERT_TRUE(y) << y.error().cause();
      const std::vector<float> got = values<float>((*y)[0]);
      const std::vector<double> want = reference(x, axes, f);
      ASSERT_EQ(got.size(), want.size());
      for (size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], want[i], 1e-5 * (1 + std::fabs(want[i]))) << name << " at " << i;
    }
}

TEST(Reduce, EmptyAndSpecial) {
  const float infinity = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor none = tensor<float>({2, 0}, {});
  auto of = [&](const char* op, const Tensor& x) {
    return values<float>((*run_op(op, {x}, {{"axes", Ints{1}}}))[0]);
  };
  EXPECT_EQ(of("ReduceMax", none), (std::vector<float>{-infinity, -infinity}));
  EXPECT_EQ(of("ReduceMin", none), (std::vector<float>{infinity, infinity}));
  EXPECT_EQ(of("ReduceProd", none), (std::vector<float>{1, 1}));
  EXPECT_EQ(of("ReduceLogSumExp", none), (std::vector<float>{-infinity, -infinity}));
  EXPECT_EQ(of("ReduceLogSumExp", tensor<float>({1, 2}, {1000, 1000})),
            (std::vector<float>{1000 + std::log(2.0f)}));
  EXPECT_TRUE(std::isnan(of("ReduceMax", tensor<float>({1, 3}, {1, nan, 2}))[0]));
  EXPECT_EQ(
      values<int32_t>((*run_op("ReduceMax", {tensor<int32_t>({1, 2}, {-7, -9})}, {{"axes", Ints{1}}}))[0]),
      (std::vector<int32_t>{-7}));
}

TEST(Reduce, SymbolicShapesAndContents) {
  EXPECT_EQ(inferred("ReduceMean", {"f32[n, c, h]"}, {{"axes", Ints{-1, 0}}}), "f32[1, c, 1]");
  EXPECT_EQ(inferred("ReduceMean", {"f32[n, c, h]"}, {{"axes", Ints{1}}, {"keepdims", false}}), "f32[n, h]");
  EXPECT_EQ(inferred("ReduceProd", {"i64[3] = n, 4, h"}, {{"axes", Ints{0}}, {"keepdims", false}}),
            "i64[] = [4*h*n]");
  EXPECT_EQ(inferred("ReduceSum", {"i64[2] = n, 4"}, {{"axes", Ints{0}}}), "i64[1] = [n + 4]");
  EXPECT_EQ(inferred("ReduceSum", {"f32[n]"}, {{"axes", Ints{0, -1}}}),
            "error: node 't' (ReduceSum): axis 0 is named twice");
  EXPECT_EQ(inferred("ReduceSum", {"f32[n]"}, {{"axes", Ints{1}}}),
            "error: node 't' (ReduceSum): axis 1 is outside a tensor of rank 1");
}

TEST(Softmax, AgainstItsDefinition) {
  const Tensor x = random_tensor({3, 5, 7});
  for (int64_t axis : {0, 1, -1}) {
    const size_t k = static_cast<size_t>(axis < 0 ? 2 : axis);
    const std::vector<double> sums =
        reference(x, {static_cast<int64_t>(k)}, [](const std::vector<double>& l) {
          double sum = 0;
          for (double v : l) sum += std::exp(v);
          return sum;
        });
    const auto y = values<float>((*run_op("Softmax", {x}, {{"axis", axis}}))[0]);
    const auto z = values<float>((*run_op("LogSoftmax", {x}, {{"axis", axis}}))[0]);
    const int64_t inner = k == 2 ? 1 : k == 1 ? 7 : 35, count = x.shape()[k];
    for (int64_t i = 0; i < x.count(); ++i) {
      const double want = std::exp(static_cast<double>(x.data<float>()[i])) /
                          sums[static_cast<size_t>(i / (inner * count) * inner + i % inner)];
      ASSERT_NEAR(y[static_cast<size_t>(i)], want, 1e-6);
      ASSERT_NEAR(z[static_cast<size_t>(i)], std::log(want), 1e-5);
    }
  }
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(values<float>((*run_op("Softmax", {tensor<float>({3}, {-infinity, 1e30f, 1e30f})}))[0]),
            (std::vector<float>{0, 0.5f, 0.5f}));
  EXPECT_EQ(values<float>((*run_op("Hardmax", {tensor<float>({2, 3}, {1, 3, 3, 0, -1, -2})}))[0]),
            (std::vector<float>{0, 1, 0, 1, 0, 0}));
}

}  // namespace
}  // namespace burnish
