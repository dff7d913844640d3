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

// A plane with its padding written out; NaN marks the padding.
struct Padded {
  std::vector<double> data;
  int64_t height, width;
};
Padded pad(const Tensor& x, int64_t plane, const Ints& pads) {
  const int64_t h = x.shape()[2], w = x.shape()[3];
  Padded p{{}, h + pads[0] + pads[2], w + pads[1] + pads[3]};
  for (int64_t i = 0; i < p.height; ++i)
    for (int64_t j = 0; j < p.width; ++j) {
      const int64_t a = i - pads[0], b = j - pads[1];
      const bool inside = a >= 0 && a < h && b >= 0 && b < w;
      p.data.push_back(inside ? static_cast<double>(x.data<float>()[(plane * h + a) * w + b]) : NAN);
    }
  return p;
}

struct Case {
  Ints kernel, strides, dilations, pads;
  bool ceil_mode;
};

void check(const Case& k, bool include_pad) {
  const Tensor x = random_tensor({2, 3, 11, 8});
  const testing::NamedAttributes attrs = {{"kernel_shape", k.kernel}, {"strides", k.strides},
                                          {"dilations", k.dilations}, {"pads", k.pads},
                                          {"ceil_mode", k.ceil_mode}, {"count_include_pad", include_pad}};
  auto most = run_op("MaxPool", {x}, attrs, 2), mean = run_op("AveragePool", {x}, attrs),
       norm = run_op("LpPool", {x}, attrs);
  ASSERT_TRUE(most && mean && norm);
  const Shape& shape = (*most)[0].shape();
  size_t at = 0;
  for (int64_t plane = 0; plane < 6; ++plane) {
    const Padded p = pad(x, plane, k.pads);
    for (int64_t i = 0; i < shape[2]; ++i)
      for (int64_t j = 0; j < shape[3]; ++j, ++at) {
        double best = -INFINITY, sum = 0, squares = 0;
        int64_t inside = 0, all = 0;
        for (int64_t a = 0; a < k.kernel[0]; ++a)
          for (int64_t b = 0; b < k.kernel[1]; ++b) {
            const int64_t r = i * k.strides[0] + a * k.dilations[0],
                          c = j * k.strides[1] + b * k.dilations[1];
            if (r >= p.height || c >= p.width) continue;  // what ceil_mode adds at the end counts for nothing
            ++all;
            const double v = p.data[static_cast<size_t>(r * p.width + c)];
            if (std::isnan(v)) continue;
            ++inside;
            best = std::max(best, v);
            sum += v;
            squares += v * v;
          }
        ASSERT_GT(inside, 0);
        ASSERT_EQ(values<float>((*most)[0])[at], static_cast<float>(best));
        ASSERT_EQ(x.data<float>()[values<int64_t>((*most)[1])[at]], static_cast<float>(best));
        ASSERT_NEAR(values<float>((*mean)[0])[at], sum / static_cast<double>(include_pad ? all : inside),
                    1e-5);
        ASSERT_NEAR(values<float>((*norm)[0])[at], std::sqrt(squares), 1e-5);
      }
  }
  ASSERT_EQ(at, values<float>((*most)[0]).size());
}

TEST(Pool, AgainstItsDefinition) {
  for (bool include_pad : {false, true}) {
    check({{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}, false}, include_pad);
    check({{2, 3}, {1, 2}, {2, 1}, {0, 1, 1, 0}, false}, include_pad);
    check({{3, 3}, {2, 3}, {1, 2}, {1, 0, 0, 2}, true}, include_pad);
    check({{2, 2}, {2, 3}, {1, 1}, {0, 0, 0, 0}, true}, include_pad);
  }
}

TEST(Pool, IndicesByColumns) {
  const Tensor x = tensor<float>({1, 2, 2, 3}, {0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9});
  const auto y = *run_op("MaxPool", {x}, {{"kernel_shape", Ints{2, 3}}, {"storage_order", int64_t{1}}}, 2);
  EXPECT_EQ(values<int64_t>(y[1]), (Ints{2, 11}));
}

TEST(Pool, Extents) {
  const testing::NamedAttributes attrs = {
      {"kernel_shape", Ints{3}}, {"strides", Ints{2}}, {"pads", Ints{1, 1}}};
  EXPECT_EQ(inferred("MaxPool", {"f32[n, 8, h]"}, attrs), "f32[n, 8, floor(h + 1, 2)]");
  EXPECT_EQ(inferred("MaxPool", {"f32[1, 1, 4]"},
                     {{"kernel_shape", Ints{1}}, {"strides", Ints{2}}, {"ceil_mode", true}}),
            "f32[1, 1, 2]");
  EXPECT_EQ(inferred("AveragePool", {"f32[1, 1, 4, 4]"}, {{"kernel_shape", Ints{2}}}),
            "error: node 't' (AveragePool): an input of shape [1, 1, 4, 4] does not go with a window over 1 "
            "axes; batch, channels "
            "and 1 to 3 spatial axes are expected");
}

}  // namespace
}  // namespace burnish
