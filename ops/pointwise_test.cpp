#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "ir/element.h"
#include "ir/scalar.h"
#include "ops/testing.h"

namespace burnish {
namespace {

using namespace testing;

constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();

// One element through the whole op: as float, and as double, which must agree in class and within float's precision.
float f(std::string_view op, const std::vector<float>& x, const NamedAttributes& attrs = {}) {
  std::vector<Tensor> floats, doubles;
  for (float v : x) {
    floats.push_back(tensor<float>({}, {v}));
    doubles.push_back(tensor<double>({}, {v}));
  }
  const auto y = run_op(op, floats, attrs), wide = run_op(op, doubles, attrs);
  EXPECT_TRUE(y && wide) << op << (y ? "" : y.error().cause());
  if (!y || !wide) return 0;
  const float a = values<float>(y->at(0))[0];
  const double b = values<double>(wide->at(0))[0];
  EXPECT_TRUE((std::isnan(a) && std::isnan(b)) || static_cast<double>(a) == b ||
              std::fabs(a - b) <= 4e-6 * (1 + std::fabs(b)))
      << op << " of " << x[0] << ": " << a << " and " << b;
  return a;
}
int64_t i(std::string_view op, const std::vector<int64_t>& x, const NamedAttributes& attrs = {}) {
  std::vector<Tensor> in;
  for (int64_t v : x) in.push_back(tensor<int64_t>({}, {v}));
  const auto y = run_op(op, in, attrs);
  EXPECT_TRUE(y) << op;
  return y ? integer_element(y->at(0), 0) : 0;
}
template <class T>
bool b(std::string_view op, const std::vector<T>& x, const NamedAttributes& attrs = {}) {
  std::vector<Tensor> in;
  for (T v : x) in.push_back(tensor<T>({}, {v}));
  const auto y = run_op(op, in, attrs);
  EXPECT_TRUE(y) << op;
  return y && y->at(0).dtype() == DType::boolean && values<bool>(y->at(0))[0];
}
#define EXPECT_NAN(x) EXPECT_TRUE(std::isnan(x))
// Equal, and zeros of the same sign.
void expect_same(float got, float want) {
  EXPECT_EQ(got, want);
  EXPECT_EQ(std::signbit(got), std::signbit(want)) << "sign of " << want;
}

TEST(Pointwise, NanPropagates) {
  for (const char* op :
       {"Abs",       "Acos", "Acosh", "Asin",     "Asinh",      "Atan",  "Atanh", "Ceil",        "Celu",
        "Cos",       "Cosh", "Elu",   "Erf",      "Exp",        "Floor", "Gelu",  "HardSigmoid", "HardSwish",
        "LeakyRelu", "Log",  "Mish",  "Neg",      "Reciprocal", "Relu",  "Round", "Selu",        "Sigmoid",
        "Sign",      "Sin",  "Sinh",  "Softplus", "Softsign",   "Sqrt",  "Swish", "Tan",         "Tanh"})
    EXPECT_NAN(f(op, {nan})) << op;
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min", "Mod", "PRelu"}) {
    EXPECT_NAN(f(op, {nan, 1})) << op;
    if (std::string_view(op) != "PRelu") {
      EXPECT_NAN(f(op, {1, nan})) << op;
    }
  }
  for (size_t k = 0; k < 3; ++k) {
    std::vector<float> x{1, 0, 2};
    x[k] = nan;
    EXPECT_NAN(f("Clip", x)) << k;
  }
  EXPECT_EQ(f("ThresholdedRelu", {nan}), 0);
  EXPECT_EQ(f("Shrink", {nan}), 0);
  EXPECT_EQ(f("Pow", {nan, 0}), 1);
  EXPECT_EQ(f("Pow", {1, nan}), 1);
  EXPECT_NAN(f("Pow", {nan, 2}));
}

TEST(Pointwise, InfinitiesAndPoles) {
  EXPECT_EQ(f("Exp", {-inf}), 0);
  EXPECT_EQ(f("Exp", {inf}), inf);
  EXPECT_EQ(f("Log", {0}), -inf);
  EXPECT_NAN(f("Log", {-1}));
  EXPECT_NAN(f("Sqrt", {-1}));
  expect_same(f("Sqrt", {-0.0f}), -0.0f);
  EXPECT_EQ(f("Reciprocal", {0}), inf);
  EXPECT_EQ(f("Reciprocal", {-0.0f}), -inf);
  EXPECT_EQ(f("Div", {1, 0}), inf);
  EXPECT_NAN(f("Div", {0, 0}));
  EXPECT_EQ(f("Sigmoid", {-inf}), 0);
  EXPECT_EQ(f("Sigmoid", {inf}), 1);
  EXPECT_EQ(f("Sigmoid", {-200}), 0);
  EXPECT_EQ(f("Tanh", {-inf}), -1);
  EXPECT_EQ(f("Softplus", {1000}), 1000);
  EXPECT_EQ(f("Softplus", {-inf}), 0);
  EXPECT_EQ(f("Elu", {-inf}), -1);
  EXPECT_EQ(f("Erf", {inf}), 1);
  EXPECT_EQ(f("HardSigmoid", {inf}), 1);
  EXPECT_EQ(f("HardSigmoid", {-inf}), 0);
  EXPECT_EQ(f("Relu", {-inf}), 0);
  EXPECT_EQ(f("Clip", {inf, -1, 6}), 6);
  EXPECT_EQ(f("Atanh", {1}), inf);
  EXPECT_NAN(f("Acosh", {0.5f}));
}

TEST(Pointwise, RoundingAndSigns) {
  const float halves[][2] = {{0.5f, 0},   {1.5f, 2},   {2.5f, 2}, {-0.5f, -0.0f},
                             {-1.5f, -2}, {-2.5f, -2}, {2.4f, 2}, {inf, inf}};
  for (const auto& [x, y] : halves) expect_same(f("Round", {x}), y);
  expect_same(f("Floor", {-0.5f}), -1);
  expect_same(f("Ceil", {-0.5f}), -0.0f);
  expect_same(f("Neg", {0}), -0.0f);
  expect_same(f("Sign", {-3}), -1);
  EXPECT_EQ(f("Clip", {0, 5, 3}), 3);  // the upper bound wins
  EXPECT_EQ(f("Mod", {-5, 3}), 1);
  EXPECT_EQ(f("Mod", {-5, 3}, {{"fmod", true}}), -2);
  EXPECT_EQ(f("Mod", {5, -3}), -1);
  EXPECT_EQ(f("Mod", {5, -3}, {{"fmod", true}}), 2);
}

TEST(Pointwise, Integers) {
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(i("Div", {-7, 2}), -3);
  EXPECT_EQ(i("Div", {7, -2}), -3);
  EXPECT_EQ(i("Div", {7, 0}), 0);
  EXPECT_EQ(i("Div", {least, -1}), least);
  EXPECT_EQ(i("Mod", {-7, 3}), 2);
  EXPECT_EQ(i("Mod", {7, -3}), -2);
  EXPECT_EQ(i("Mod", {-7, 3}, {{"fmod", true}}), -1);
  EXPECT_EQ(i("Mod", {7, 0}), 0);
  EXPECT_EQ(i("Abs", {least}), least);
  EXPECT_EQ(i("Sign", {-9}), -1);
  EXPECT_EQ(i("Pow", {3, 4}), 81);
  EXPECT_EQ(i("Pow", {-1, -3}), -1);
  EXPECT_EQ(i("Pow", {2, -1}), 0);
  EXPECT_EQ(i("Relu", {-4}), 0);
  EXPECT_EQ(i("Clip", {9, -1, 6}), 6);
  EXPECT_EQ(i("BitwiseAnd", {12, 10}), 8);
  EXPECT_EQ(i("BitwiseOr", {12, 10}), 14);
  EXPECT_EQ(i("BitwiseXor", {12, 10}), 6);
  EXPECT_EQ(i("BitwiseNot", {5}), -6);
  EXPECT_EQ(i("BitShift", {3, 4}, {{"direction", std::string("LEFT")}}), 48);
  EXPECT_EQ(i("BitShift", {48, 4}, {{"direction", std::string("RIGHT")}}), 3);
  // Narrow types wrap where they are stored.
  const auto y = run_op("Add", {tensor<uint8_t>({1}, {250}), tensor<uint8_t>({1}, {10})});
  ASSERT_TRUE(y);
  EXPECT_EQ(values<uint8_t>(y->at(0)), std::vector<uint8_t>{4});
}

TEST(Pointwise, ComparisonsAndLogic) {
  for (const char* op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}) {
    EXPECT_FALSE(b<float>(op, {nan, nan})) << op;
    const std::string_view name(op);
    EXPECT_EQ(b<float>(op, {2, 2}), name == "Equal" || name.ends_with("OrEqual")) << op;
    EXPECT_EQ(b<int64_t>(op, {-1, 2}), name.starts_with("Less")) << op;
    EXPECT_EQ(b<double>(op, {inf, 2}), name.starts_with("Greater")) << op;
  }
  EXPECT_TRUE(b<float>("Equal", {0.0f, -0.0f}));
  EXPECT_TRUE(b<float>("IsNaN", {nan}));
  EXPECT_FALSE(b<float>("IsNaN", {inf}));
  for (const bool positive : {false, true})
    for (const bool negative : {false, true}) {
      const NamedAttributes attrs{{"detect_positive", positive}, {"detect_negative", negative}};
      EXPECT_EQ(b<float>("IsInf", {inf}, attrs), positive);
      EXPECT_EQ(b<float>("IsInf", {-inf}, attrs), negative);
      EXPECT_FALSE(b<float>("IsInf", {nan}, attrs));
      EXPECT_FALSE(b<float>("IsInf", {3e38f}, attrs));
    }
  for (const bool x : {false, true})
    for (const bool y : {false, true}) {
      EXPECT_EQ(b<bool>("And", {x, y}), x && y);
      EXPECT_EQ(b<bool>("Or", {x, y}), x || y);
      EXPECT_EQ(b<bool>("Xor", {x, y}), x != y);
      EXPECT_EQ(b<bool>("Equal", {x, y}), x == y);
    }
  EXPECT_TRUE(b<bool>("Not", {false}));
}

// Against the formulas of the ONNX documents, in double.
TEST(Pointwise, Formulas) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  for (const float x : {-7.5f, -3.0f, -1.0f, -0.4f, -0.0f, 0.3f, 0.5f, 1.0f, 2.75f, 9.0f}) {
    const double d = x, e = 3e-6;
    EXPECT_NEAR(f("LeakyRelu", {x}, {{"alpha", 0.1f}}), d < 0 ? 0.1 * d : d, e);
    EXPECT_NEAR(f("Elu", {x}, {{"alpha", 2.0f}}), d < 0 ? 2 * (std::exp(d) - 1) : d, e);
    EXPECT_NEAR(f("Celu", {x}, {{"alpha", 2.0f}}),
                std::max(0.0, d) + std::min(0.0, 2 * (std::exp(d / 2) - 1)), e);
    EXPECT_NEAR(f("Selu", {x}), 1.0507010221481323 * (d > 0 ? d : 1.6732631921768188 * (std::exp(d) - 1)),
                2 * e);
    EXPECT_NEAR(f("HardSigmoid", {x}), std::clamp(0.2 * d + 0.5, 0.0, 1.0), e);
    EXPECT_NEAR(f("HardSwish", {x}), d * std::clamp(d / 6 + 0.5, 0.0, 1.0), 2 * e);
    EXPECT_NEAR(f("Softplus", {x}), std::log(1 + std::exp(d)), e);
    EXPECT_NEAR(f("Softsign", {x}), d / (1 + std::fabs(d)), e);
    EXPECT_NEAR(f("Mish", {x}), d * std::tanh(std::log(1 + std::exp(d))), 2 * e);
    EXPECT_NEAR(f("Swish", {x}, {{"alpha", 1.5f}}), d * sigmoid(1.5 * d), 2 * e);
    EXPECT_NEAR(f("Gelu", {x}), 0.5 * d * std::erfc(-d / std::sqrt(2.0)), 2 * e);
    EXPECT_NEAR(f("Gelu", {x}, {{"approximate", std::string("tanh")}}),
                0.5 * d * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (d + 0.044715 * d * d * d))),
                2 * e);
    EXPECT_NEAR(f("ThresholdedRelu", {x}, {{"alpha", 0.5f}}), d > 0.5 ? d : 0, 0);
    EXPECT_NEAR(f("Shrink", {x}, {{"lambd", 0.45f}, {"bias", 0.25f}}),
                d < -0.45  ? d + 0.25
                : d > 0.45 ? d - 0.25
                           : 0,
                e);
    EXPECT_NEAR(f("PRelu", {x, 0.3f}), d < 0 ? 0.3 * d : d, e);
  }
}

TEST(Pointwise, Cast) {
  const auto to = [](const Tensor& x, DType t) { return run_op("Cast", {x}, {{"to", t}})->at(0); };
  const Tensor x = tensor<float>({7}, {nan, inf, -inf, 2.9f, -2.9f, 3e9f, 0});
  EXPECT_EQ(values<int32_t>(to(x, DType::i32)),
            (std::vector<int32_t>{0, INT32_MAX, INT32_MIN, 2, -2, INT32_MAX, 0}));
  EXPECT_EQ(values<uint8_t>(to(x, DType::u8)), (std::vector<uint8_t>{0, 255, 0, 2, 0, 255, 0}));
  EXPECT_EQ(values<bool>(to(x, DType::boolean)),
            (std::vector<bool>{true, true, true, true, true, true, false}));
  EXPECT_EQ(values<uint8_t>(to(tensor<int64_t>({2}, {-1, 257}), DType::u8)), (std::vector<uint8_t>{255, 1}));
  EXPECT_EQ(values<float>(to(tensor<bool>({2}, {true, false}), DType::f32)), (std::vector<float>{1, 0}));
  const Tensor narrow =
      to(tensor<float>({4}, {1.0009765f, 65520, 65519, -1e-8f}), DType::f16);  // to nearest even
  EXPECT_EQ(std::vector<uint16_t>(narrow.data<uint16_t>(), narrow.data<uint16_t>() + 4),
            (std::vector<uint16_t>{0x3c01, 0x7c00, 0x7bff, 0x8000}));
}

TEST(Pointwise, BroadcastsLikeNumpy) {
  const Tensor x = random_tensor({2, 3, 1, 5}, 1), y = random_tensor({3, 4, 1}, 2);
  const auto sum = run_op("Sub", {x, y});
  ASSERT_TRUE(sum);
  EXPECT_EQ(sum->at(0).shape(), (Shape{2, 3, 4, 5}));
  const Tensor condition = random_integers<bool>({4, 5}, 0, 1, 3);
  const auto chosen = run_op("Where", {condition, x, y});
  ASSERT_TRUE(chosen);
  for (int64_t n = 0, at = 0; n < 2; ++n)
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t h = 0; h < 4; ++h)
        for (int64_t w = 0; w < 5; ++w, ++at) {
          const float u = x.data<float>()[(n * 3 + c) * 5 + w], v = y.data<float>()[c * 4 + h];
          EXPECT_EQ(sum->at(0).data<float>()[at], u - v);
          EXPECT_EQ(chosen->at(0).data<float>()[at], condition.data<bool>()[h * 5 + w] ? u : v);
        }
  EXPECT_EQ(run_op("Add", {tensor<float>({0, 3}, {}), tensor<float>({1, 1}, {2})})->at(0).shape(),
            (Shape{0, 3}));
}

TEST(Pointwise, Types) {
  EXPECT_EQ(inferred("Add", {"f32[batch, 1, 3]", "f32[7, 1]"}), "f32[batch, 7, 3]");
  EXPECT_EQ(inferred("Less", {"f16[n]", "f16[]"}), "bool[n]");
  EXPECT_EQ(inferred("Add", {"f32[2]", "i64[2]"}),
            "error: node 't' (Add): operands are of different types, f32 and i64");
  EXPECT_EQ(inferred("Add", {"f32[2]", "f32[3]"}),
            "error: node 't' (Add): shapes [2] and [3] do not broadcast: axis 0 has 2 and 3");
  EXPECT_EQ(inferred("Add", {"f32[2]"}), "error: node 't' (Add): takes 2 inputs, got 1");
  EXPECT_EQ(inferred("Exp", {"i64[2]"}), "error: node 't' (Exp): is not defined on i64");
  EXPECT_EQ(inferred("Where", {"i64[]", "f32[2]", "f32[]"}),
            "error: node 't' (Where): the condition is of type i64, not bool");
}

TEST(Pointwise, KnownIntegersStayKnown) {
  EXPECT_EQ(inferred("Mul", {"i64[2] = a, 3", "i64[] = b"}), "i64[2] = [a*b, 3*b]");
  EXPECT_EQ(inferred("Div", {"i64[2] = a, 7", "i64[1] = 2"}), "i64[2] = [floor(a, 2), 3]");
  EXPECT_EQ(inferred("Div", {"i64[2] = -7, -7", "i64[2] = 2, -2"}), "i64[2] = [-3, 3]");
  EXPECT_EQ(inferred("Mod", {"i64[2] = -7, 7", "i64[] = 3"}), "i64[2] = [2, 1]");
  EXPECT_EQ(inferred("Mod", {"i64[2] = -7, 7", "i64[] = 3"}, {{"fmod", true}}), "i64[2] = [-1, 1]");
  EXPECT_EQ(inferred("Mod", {"i64[1] = 4*a + 1", "i64[] = 4"}), "i64[1] = [1]");
  EXPECT_EQ(inferred("Max", {"i64[1] = a - 2", "i64[1] = 0"}), "i64[1] = [max(0, a - 2)]");
  EXPECT_EQ(inferred("Less", {"i64[1] = a", "i64[1] = 1"}), "bool[1] = [0]");
  EXPECT_EQ(inferred("Where", {"bool[2] = equal(a, 4), 1", "i64[2] = 1, b", "i64[] = c"}),
            "i64[2] = [select(equal(4, a), 1, c), b]");
  EXPECT_EQ(inferred("Cast", {"i64[1] = a"}, {{"to", DType::i32}}), "i32[1] = [a]");
  EXPECT_EQ(inferred("Cast", {"i64[1] = a"}, {{"to", DType::u8}}), "u8[1]");
  EXPECT_EQ(inferred("Cast", {"i64[2] = a, 0"}, {{"to", DType::boolean}}), "bool[2] = [1, 0]");
  EXPECT_EQ(inferred("Identity", {"i64[1] = a"}), "i64[1] = [a]");
}

// The device text of a pointwise op calls nothing but the primitives, on balanced brackets and on the operands given.
TEST(Pointwise, DeviceTextsNameKnownPrimitives) {
  std::set<std::string_view> known{"cast", "quantize", "dequantize", "nan", "infinity"};
#define BURNISH_NAME(name) known.insert(#name);
  BURNISH_PRIMITIVES_1(BURNISH_NAME)
  BURNISH_PRIMITIVES_2(BURNISH_NAME)
  BURNISH_PRIMITIVES_3(BURNISH_NAME)
#undef BURNISH_NAME
  const std::vector<std::string> operands{"p", "q", "r"};
  size_t count = 0;
  for (const OpDef* op : all_ops()) {
    if (!op->scalar) continue;
    ++count;
    const std::string text = op->scalar(Attrs(op->attrs), operands);
    EXPECT_EQ(std::count(text.begin(), text.end(), '('), std::count(text.begin(), text.end(), ')')) << text;
    EXPECT_NE(text.find('p'), text.npos) << op->name;
    for (size_t at = text.find("prim::"); at != text.npos; at = text.find("prim::", at)) {
      at += 6;
      const std::string_view rest = std::string_view(text).substr(at);
      EXPECT_TRUE(known.contains(rest.substr(0, rest.find_first_of("(<")))) << op->name << ": " << text;
    }
  }
  EXPECT_GE(count, 65u);
  EXPECT_EQ(find_op("LeakyRelu")->scalar(Attrs(find_op("LeakyRelu")->attrs), operands),
            "prim::leaky_relu(p, C(0x1.47ae14p-7))");
  EXPECT_EQ(find_op("Cast")->scalar(attrs_of("Cast", {{"to", DType::f16}}), operands), "prim::cast<half>(p)");
}

}  // namespace
}  // namespace burnish
