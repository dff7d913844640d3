#include <gtest/gtest.h>

#include <cmath>

#include "ops/testing.h"

namespace burnish {
namespace {

using testing::inferred;
using testing::random_tensor;
using testing::run_op;

struct Operands {
  Tensor x, w1, b1, w2, b2;
  std::vector<Tensor> all() const { return {x, w1, b1, w2, b2}; }
};

Operands random_operands(const Shape& x, int64_t hidden) {
  Shape inwards(x.size(), 1), outwards = inwards;
  inwards[0] = outwards[1] = hidden;
  inwards[1] = outwards[0] = x[1];
  return {random_tensor(x), random_tensor(inwards, 2), random_tensor({hidden}, 3), random_tensor(outwards, 4),
          random_tensor({x[1]}, 5)};
}

// By the operators that it stands for.
Tensor spelled_out(const Operands& o, const std::string& activation, const std::string& gate,
                   const testing::NamedAttributes& slope = {}) {
  std::vector<int64_t> axes;
  for (size_t a = 2; a < o.x.shape().size(); ++a) axes.push_back(static_cast<int64_t>(a));
  auto one = [](const char* op, const std::vector<Tensor>& in, const testing::NamedAttributes& attrs = {}) {
    return run_op(op, in, attrs)->front();
  };
  const Tensor mean = one("ReduceMean", {o.x}, {{"axes", axes}});
  const Tensor hidden = one(activation.c_str(), {one("Conv", {mean, o.w1, o.b1})});
  return one("Mul", {o.x, one(gate.c_str(), {one("Conv", {hidden, o.w2, o.b2})}, slope)});
}

void expect_close(const Tensor& got, const Tensor& want) {
  ASSERT_EQ(got.shape(), want.shape());
  for (int64_t i = 0; i < want.count(); ++i)
    ASSERT_NEAR(got.data<float>()[i], want.data<float>()[i], 1e-5 * (1 + std::abs(want.data<float>()[i])))
        << "at " << i;
}

TEST(SqueezeExcite, IsWhatItStandsFor) {
  for (const Shape& shape : {Shape{2, 12, 5, 7}, Shape{1, 7, 1, 1}, Shape{3, 4, 6}, Shape{2, 5, 2, 3, 4}})
    for (const int64_t hidden : {1, 3}) {
      const Operands o = random_operands(shape, hidden);
      expect_close(run_op("SqueezeExcite", o.all())->front(), spelled_out(o, "Relu", "Sigmoid"));
      expect_close(run_op("SqueezeExcite", o.all(), {{"activation", "swish"}})->front(),
                   spelled_out(o, "Swish", "Sigmoid"));
      expect_close(
          run_op("SqueezeExcite", o.all(), {{"gate", "hard_sigmoid"}, {"alpha", 1.0f / 6}, {"beta", 0.4f}})
              ->front(),
          spelled_out(o, "Relu", "HardSigmoid", {{"alpha", 1.0f / 6}, {"beta", 0.4f}}));
    }
}

// x = (1, 3), (2, 6): means 2 and 4; hidden 2 * 2 - 4 + 1 = 1; gates 1 / (1 + e^-(1 * log 3)) = 3/4 and clip(0.2 * 0 + 0.5).
TEST(SqueezeExcite, ByHand) {
  const Tensor x = testing::tensor<float>({1, 2, 2, 1}, {1, 3, 2, 6}),
               w1 = testing::tensor<float>({1, 2, 1, 1}, {2, -1}), b1 = testing::tensor<float>({1}, {1}),
               w2 = testing::tensor<float>({2, 1, 1, 1}, {std::log(3.0f), 0});
  const std::vector<float> y = testing::values<float>(run_op("SqueezeExcite", {x, w1, b1, w2})->front());
  EXPECT_FLOAT_EQ(y[0], 0.75f);
  EXPECT_FLOAT_EQ(y[1], 2.25f);
  EXPECT_FLOAT_EQ(y[2], 1);
  EXPECT_FLOAT_EQ(y[3], 3);
}

TEST(SqueezeExcite, BiasesMayBeLeftOut) {
  Operands o = random_operands({2, 6, 3, 3}, 4), without = o;
  o.b1 = Tensor::zeros(DType::f32, {4});
  without.b1 = Tensor();
  expect_close(run_op("SqueezeExcite", without.all())->front(), run_op("SqueezeExcite", o.all())->front());
  o.b2 = Tensor::zeros(DType::f32, {6});
  expect_close(run_op("SqueezeExcite", {o.x, o.w1, without.b1, o.w2})->front(),
               run_op("SqueezeExcite", o.all())->front());
}

TEST(SqueezeExcite, Types) {
  const std::string x = "f32[n, 8, h, w]", w1 = "f32[2, 8, 1, 1]", w2 = "f32[8, 2, 1, 1]";
  EXPECT_EQ(inferred("SqueezeExcite", {x, w1, "f32[2]", w2, "f32[8]"}), x);
  EXPECT_EQ(inferred("SqueezeExcite", {x, w1, "", w2}), x);
  EXPECT_EQ(inferred("SqueezeExcite", {x, "f32[2, 8, 3, 3]", "", w2}),
            "error: node 't' (SqueezeExcite): weights [2, 8, 3, 3] are not those of a convolution of one "
            "element over [n, 8, h, w]");
  EXPECT_EQ(inferred("SqueezeExcite", {"f32[n, 8]", "f32[2, 8]", "", "f32[8, 2]"}),
            "error: node 't' (SqueezeExcite): the input must have a batch, a channel and other axes, got "
            "shape [n, 8]");
  EXPECT_EQ(inferred("SqueezeExcite", {x, w1, "", w2}, {{"activation", "tanh"}}),
            "error: node 't' (SqueezeExcite): there is no activation 'tanh'");
  EXPECT_EQ(inferred("SqueezeExcite", {x, w1, "", w2}, {{"gate", "tanh"}}),
            "error: node 't' (SqueezeExcite): there is no gate 'tanh'");
  EXPECT_TRUE(inferred("SqueezeExcite", {x, w1, "f32[3]", w2}).starts_with("error: "));
  EXPECT_TRUE(inferred("SqueezeExcite", {x, w1, "", "f32[8, 3, 1, 1]"}).starts_with("error: "));
}

}  // namespace
}  // namespace burnish
