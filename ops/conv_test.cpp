#include <gtest/gtest.h>

#include "ops/testing.h"

namespace burnish {
namespace {

using testing::infer_op;
using testing::inferred;
using testing::random_tensor;
using testing::run_op;
using testing::values;

using Ints = std::vector<int64_t>;

// A convolution over up to three axes written from its definition, in double.
struct Reference {
  Ints strides, dilations, pads;
  int64_t group;

  Shape extents(const Shape& x, const Shape& w) const {
    Shape y{x[0], w[0]};
    for (size_t i = 0; i + 2 < x.size(); ++i)
      y.push_back((x[i + 2] + pads[i] + pads[i + strides.size()] - dilations[i] * (w[i + 2] - 1) - 1) /
                      strides[i] +
                  1);
    return y;
  }

  // Calls f(flat input index, flat weight index, flat output index) for every product of the sum.
  template <class F>
  void each(const Shape& x, const Shape& w, const Shape& y, const F& f) const {
    const int64_t spatial_y = element_count(std::span(y).subspan(2)),
                  taps = element_count(std::span(w).subspan(2));
    for (int64_t n = 0; n < x[0]; ++n)
      for (int64_t m = 0; m < y[1]; ++m)
        for (int64_t at = 0; at < spatial_y; ++at)
          for (int64_t c = 0; c < w[1]; ++c)
            for (int64_t t = 0; t < taps; ++t) {
              const int64_t channel = m / (y[1] / group) * w[1] + c;
              int64_t index = 0, stride = 1, o = at, k = t;
              bool inside = true;
              for (size_t i = x.size() - 2; i-- > 0;) {
                const int64_t p = o % y[i + 2] * strides[i] - pads[i] + k % w[i + 2] * dilations[i];
                inside = inside && p >= 0 && p < x[i + 2];
                index += p * stride;
                stride *= x[i + 2];
                o /= y[i + 2];
                k /= w[i + 2];
              }
              if (inside)
                f((n * x[1] + channel) * stride + index, (m * w[1] + c) * taps + t,
                  (n * y[1] + m) * spatial_y + at);
            }
  }
};

void expect_near(const std::vector<float>& got, const std::vector<double>& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], tolerance) << "at " << i;
}

void check(const Shape& x_shape, const Shape& w_shape, const Reference& r, bool with_bias) {
  const Tensor x = random_tensor(x_shape, 1), w = random_tensor(w_shape, 2);
  const Tensor b = with_bias ? random_tensor({w_shape[0]}, 3) : Tensor();
  auto y = run_op("Conv", {x, w, b},
                  {{"strides", r.strides}, {"dilations", r.dilations}, {"pads", r.pads}, {"group", r.group}});
  ASSERT_TRUE(y) << y.error().cause();
  const Shape shape = r.extents(x_shape, w_shape);
  ASSERT_EQ((*y)[0].shape(), shape);
  std::vector<double> want(static_cast<size_t>(element_count(shape)));
  const int64_t plane = element_count(std::span(shape).subspan(2));
  for (size_t i = 0; with_bias && i < want.size(); ++i)
    want[i] = static_cast<double>(b.data<float>()[static_cast<int64_t>(i) / plane % shape[1]]);
  r.each(x_shape, w_shape, shape, [&](int64_t xi, int64_t wi, int64_t yi) {
    want[static_cast<size_t>(yi)] +=
        static_cast<double>(x.data<float>()[xi]) * static_cast<double>(w.data<float>()[wi]);
  });
  expect_near(values<float>((*y)[0]), want, 1e-4);
}

TEST(Conv, AgainstItsDefinition) {
  check({2, 3, 9, 11}, {5, 3, 3, 3}, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, true);
  check({1, 4, 13, 10}, {6, 2, 3, 2}, {{2, 3}, {2, 1}, {3, 0, 1, 2}, 2}, false);  // groups, asymmetric
  check({2, 6, 7, 8}, {12, 1, 3, 5}, {{1, 2}, {1, 2}, {1, 4, 1, 4}, 6}, true);  // depthwise, two per channel
  check({1, 8, 6, 5}, {7, 8, 1, 1}, {{1, 1}, {1, 1}, {0, 0, 0, 0}, 1}, true);   // pointwise
  check({1, 8, 6, 5}, {7, 8, 1, 1}, {{2, 2}, {1, 1}, {0, 0, 0, 0}, 1}, true);   // pointwise, strided
  check({2, 3, 17}, {4, 3, 5}, {{2}, {3}, {4, 1}, 1}, true);                    // one axis
  check({1, 2, 5, 6, 7}, {3, 2, 3, 2, 3}, {{1, 2, 1}, {1, 1, 2}, {1, 0, 2, 0, 1, 2}, 1}, false);  // three
  check({1, 16, 40, 40}, {32, 16, 3, 3}, {{1, 1}, {1, 1}, {1, 1, 1, 1}, 1}, true);  // several tiles
  check({1, 1, 3, 3}, {1, 1, 1, 1}, {{1, 1}, {1, 1}, {2, 2, 2, 2}, 1},
        true);  // windows wholly in the padding
}

TEST(Conv, SymbolicExtents) {
  EXPECT_EQ(inferred("Conv", {"f32[n, 3, h, 224]", "f32[64, 3, 7, 7]"},
                     {{"strides", Ints{2, 2}}, {"pads", Ints{3, 3, 3, 3}}}),
            "f32[n, 64, floor(h + 1, 2), 112]");
  EXPECT_EQ(inferred("Conv", {"f32[n, 3, h, w]", "f32[8, 3, 3, 3]"}, {{"pads", Ints{1, 1, 1, 1}}}),
            "f32[n, 8, h, w]");
  EXPECT_EQ(inferred("Conv", {"f32[n, 3, h]", "f32[8, 3, 4]"},
                     {{"strides", Ints{3}}, {"auto_pad", std::string("SAME_UPPER")}}),
            "f32[n, 8, floor(h + 2, 3)]");
  EXPECT_EQ(inferred("Conv", {"f32[n, c, h]", "f32[8, 3, 4]"}), "f32[n, 8, h - 3]");  // and c is 3
}

TEST(Conv, SameIsMadeExplicit) {
  testing::TestGraph t;
  const ValueId x = *t.input("f32[1, 1, 8]"), w = *t.input("f32[1, 1, 4]");
  ASSERT_TRUE(t.add("Conv", {x, w}, {{"auto_pad", std::string("SAME_LOWER")}}));
  EXPECT_EQ(t.graph.nodes[0].attrs.text(*t.graph.dims), "{strides=[1], dilations=[1], pads=[2, 1]}");
}

TEST(Conv, SameOfSymbolicExtent) {
  const Tensor x = random_tensor({1, 1, 8}), w = random_tensor({1, 1, 4}, 2);
  auto upper = run_op("Conv", {x, w}, {{"auto_pad", std::string("SAME_UPPER")}});
  auto explicit_pads = run_op("Conv", {x, w}, {{"pads", Ints{1, 2}}});
  ASSERT_TRUE(upper && explicit_pads);
  EXPECT_EQ(values<float>((*upper)[0]), values<float>((*explicit_pads)[0]));
}

TEST(Conv, Errors) {
  EXPECT_EQ(inferred("Conv", {"f32[1, 4, 8, 8]", "f32[8, 3, 3, 3]"}),
            "error: node 't' (Conv): the input's channels must be group times axis 1 of the weights: 4 and 3 "
            "are never equal");
  EXPECT_EQ(
      inferred("Conv", {"f32[1, 3, 2, 8]", "f32[8, 3, 3, 3]"}),
      "error: node 't' (Conv): a window of 3 does not fit into axis 2 of extent 2 with padding 0 and 0");
  EXPECT_EQ(inferred("Conv", {"f32[1, 3, 8, 8]", "f32[8, 3, 3, 3]"}, {{"strides", Ints{1}}}),
            "error: node 't' (Conv): strides must have 2 elements, got 1");
}

// The transpose of Conv: what x's element gave to y's, y's element now gives to x's.
void check_transpose(const Shape& x_shape, const Shape& w_shape, const Reference& r,
                     const Ints& output_padding, bool with_bias) {
  const Tensor x = random_tensor(x_shape, 1), w = random_tensor(w_shape, 2);
  const int64_t results = w_shape[1] * r.group;
  const Tensor b = with_bias ? random_tensor({results}, 3) : Tensor();
  auto y = run_op("ConvTranspose", {x, w, b},
                  {{"strides", r.strides},
                   {"dilations", r.dilations},
                   {"pads", r.pads},
                   {"group", r.group},
                   {"output_padding", output_padding}});
  ASSERT_TRUE(y) << y.error().cause();
  Shape shape{x_shape[0], results};
  for (size_t i = 0; i < r.strides.size(); ++i)
    shape.push_back(r.strides[i] * (x_shape[i + 2] - 1) + output_padding[i] +
                    (w_shape[i + 2] - 1) * r.dilations[i] + 1 - r.pads[i] - r.pads[i + r.strides.size()]);
  ASSERT_EQ((*y)[0].shape(), shape);
  std::vector<double> want(static_cast<size_t>(element_count(shape)));
  const int64_t plane = element_count(std::span(shape).subspan(2));
  for (size_t i = 0; with_bias && i < want.size(); ++i)
    want[i] = static_cast<double>(b.data<float>()[static_cast<int64_t>(i) / plane % results]);
  r.each(shape, w_shape, x_shape, [&](int64_t yi, int64_t wi, int64_t xi) {
    want[static_cast<size_t>(yi)] +=
        static_cast<double>(x.data<float>()[xi]) * static_cast<double>(w.data<float>()[wi]);
  });
  expect_near(values<float>((*y)[0]), want, 1e-4);
}

TEST(ConvTranspose, AgainstItsDefinition) {
  check_transpose({2, 3, 5, 4}, {3, 4, 3, 3}, {{2, 2}, {1, 1}, {1, 1, 1, 1}, 1}, {1, 0}, true);
  check_transpose({1, 6, 4, 5}, {6, 2, 2, 3}, {{1, 3}, {2, 1}, {0, 1, 1, 0}, 3}, {0, 0}, false);
  check_transpose({1, 2, 7}, {2, 3, 4}, {{2}, {1}, {1, 1}, 1}, {0}, true);
  check_transpose({1, 2, 3, 3, 2}, {2, 2, 2, 3, 2}, {{2, 1, 2}, {1, 1, 1}, {0, 1, 0, 0, 0, 0}, 1}, {1, 0, 1},
                  true);
}

TEST(ConvTranspose, Extents) {
  EXPECT_EQ(inferred("ConvTranspose", {"f32[n, 8, h, w]", "f32[8, 4, 2, 2]"}, {{"strides", Ints{2, 2}}}),
            "f32[n, 4, 2*h, 2*w]");
  EXPECT_EQ(inferred("ConvTranspose", {"f32[n, 8, h]", "f32[8, 4, 3]"},
                     {{"strides", Ints{2}}, {"auto_pad", std::string("SAME_UPPER")}}),
            "f32[n, 4, 2*h]");
  EXPECT_EQ(inferred("ConvTranspose", {"f32[1, 8, 3]", "f32[8, 4, 3]"},
                     {{"strides", Ints{3}}, {"output_shape", Ints{10}}}),
            "f32[1, 4, 10]");
}

}  // namespace
}  // namespace burnish
