// The host reading. tools/kernels/op_cases/primitives.py holds the device reading to the same meanings.
#include "base/primitives.cuh"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "base/half.h"

namespace burnish::prim {
namespace {

constexpr int64_t smallest = std::numeric_limits<int64_t>::min();
constexpr int64_t greatest = std::numeric_limits<int64_t>::max();
const double inf = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

TEST(Primitives, integers_wrap_and_never_trap) {
  EXPECT_EQ(add(greatest, int64_t{1}), smallest);
  EXPECT_EQ(sub(smallest, int64_t{1}), greatest);
  EXPECT_EQ(mul(greatest, int64_t{2}), -2);
  EXPECT_EQ(neg(smallest), smallest);
  EXPECT_EQ(prim::abs(smallest), smallest);
  EXPECT_EQ(prim::div(int64_t{7}, int64_t{0}), 0);
  EXPECT_EQ(prim::div(smallest, int64_t{-1}), smallest);
  EXPECT_EQ(prim::div(int64_t{-7}, int64_t{2}), -3);
  EXPECT_EQ(shift_left(int64_t{1}, int64_t{64}), 0);
  EXPECT_EQ(shift_right(int64_t{-1}, int64_t{63}), 1);
}

TEST(Primitives, remainders_take_the_sign_their_name_says) {
  EXPECT_EQ(mod(int64_t{-7}, int64_t{3}), 2);
  EXPECT_EQ(mod(int64_t{7}, int64_t{-3}), -2);
  EXPECT_EQ(prim::fmod(int64_t{-7}, int64_t{3}), -1);
  EXPECT_EQ(mod(int64_t{7}, int64_t{0}), 0);
  EXPECT_EQ(mod(smallest, int64_t{-1}), 0);
  EXPECT_EQ(mod(-1.0, 3.0), 2);
  EXPECT_EQ(mod(1.0f, -3.0f), -2);
  EXPECT_TRUE(std::signbit(mod(3.0, -3.0)));
  EXPECT_TRUE(is_nan(mod(1.0, 0.0)));
  EXPECT_EQ(prim::fmod(-1.0, 3.0), -1);
}

TEST(Primitives, nan_propagates_from_any_operand) {
  for (const auto& [x, y] : {std::pair{not_a_number, 1.0}, {1.0, not_a_number}}) {
    EXPECT_TRUE(is_nan(min(x, y)));
    EXPECT_TRUE(is_nan(max(x, y)));
    EXPECT_TRUE(is_nan(clip(x, y, 2.0)));
    EXPECT_TRUE(is_nan(clip(1.0, x, y)));
  }
  for (double (*f)(double) : {relu<double>, sign<double>, sigmoid<double>, softplus<double>, mish<double>,
                              hard_swish<double>, gelu_erf<double>, gelu_tanh<double>, softsign<double>})
    EXPECT_TRUE(is_nan(f(not_a_number)));
  EXPECT_TRUE(is_nan(selu(not_a_number, 1.0, 1.0)));
  EXPECT_TRUE(is_nan(hard_sigmoid(not_a_number, 1.0, 1.0)));
  EXPECT_EQ(clip(1.0, 5.0, 2.0), 2) << "the upper bound wins";
}

TEST(Primitives, quantize_rounds_halves_to_even_and_saturates) {
  EXPECT_EQ(quantize<int8_t>(0.25f, 0.1f, int8_t{3}), 5) << "2.5 becomes 2";
  EXPECT_EQ(quantize<int8_t>(-0.35f, 0.1f, 0), -4) << "-3.5 becomes -4";
  EXPECT_EQ(quantize<uint8_t>(-1.f, 0.1f, uint8_t{128}), 118);
  EXPECT_EQ(quantize<uint8_t>(-90.f, 0.1f, uint8_t{128}), 0);
  EXPECT_EQ(quantize<int8_t>(90.f, 0.1f, 0), 127);
  EXPECT_EQ(quantize<uint16_t>(1e30f, 1.f, 0), 65535);
  EXPECT_EQ(quantize<int16_t>(float(-inf), 1.f, 5), -32768);
  EXPECT_EQ(quantize<uint8_t>(float(not_a_number), 1.f, 7), 0);
}

TEST(Primitives, quotients_by_an_inverse_are_those_of_a_division) {
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> mantissa(1, 2);
  for (int i = 0; i < 1000000; ++i) {
    const float y = std::ldexp(mantissa(engine), static_cast<int>(engine() % 40) - 30);
    const float halves = static_cast<float>(static_cast<int>(engine() % 1024) - 512) / 2;
    const float x =
        i % 2 ? y * halves : std::ldexp(mantissa(engine) - 1.5f, static_cast<int>(engine() % 20)) * y;
    const float exact = x / y;
    if (std::abs(exact) < 0x1p22f) {
      ASSERT_EQ(quotient_by_inverse(x, y, 1 / y), exact) << x << " / " << y;
    }
  }
  EXPECT_EQ(quotient_by_inverse(1e38f, 1e-3f, 1 / 1e-3f), float(inf));
  EXPECT_EQ(quotient_by_inverse(float(-inf), 2.f, 0.5f), float(-inf));
  EXPECT_TRUE(is_nan(quotient_by_inverse(float(not_a_number), 2.f, 0.5f)));
}

TEST(Primitives, dequantize_subtracts_as_integers) {
  EXPECT_EQ(dequantize(uint8_t{3}, 0.5f, uint8_t{128}), -62.5f);
  EXPECT_EQ(dequantize(int16_t{-32768}, 1.f, int16_t{32767}), -65535.f);
  EXPECT_EQ(dequantize(int32_t{-2147483647}, 1.f, int32_t{0}), -2147483648.f);
}

/// What devices compute, for every half: far closer than a half resolves.
TEST(Primitives, near_gelu_is_gelu_for_halves) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float x = to_float(half{static_cast<uint16_t>(bits)});
    const double got = near_gelu(x);
    if (std::isnan(x) || x == -inf) {
      EXPECT_TRUE(is_nan(got)) << x;
      continue;
    }
    const double exact = 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    if (x == inf) EXPECT_EQ(got, inf);
    else
      EXPECT_LE(std::abs(got - exact), std::min(2e-5 * std::abs(exact) + 1e-9, 3e-7 + 6e-8 * std::abs(exact)))
          << x;
  }
}

TEST(Primitives, limits_at_infinity) {
  EXPECT_EQ(sigmoid(-inf), 0);
  EXPECT_EQ(sigmoid(inf), 1);
  EXPECT_EQ(softplus(-inf), 0);
  EXPECT_EQ(softplus(inf), inf);
  EXPECT_EQ(elu(-inf, 2.0), -2);
  EXPECT_GT(sigmoid(-100.0f), 0.0f) << "no overflow on the way";
  EXPECT_FLOAT_EQ(softplus(200.0f), 200.0f);
}

TEST(Primitives, halves_round_to_even) {
  EXPECT_EQ(prim::round(2.5), 2);
  EXPECT_EQ(prim::round(3.5f), 4);
  EXPECT_EQ(prim::round(-0.5), 0);
  EXPECT_TRUE(std::signbit(prim::round(-0.5)));
}

TEST(Primitives, powers) {
  EXPECT_EQ(prim::pow(int64_t{3}, int64_t{5}), 243);
  EXPECT_EQ(prim::pow(int64_t{2}, int64_t{-1}), 0);
  EXPECT_EQ(prim::pow(int64_t{-1}, int64_t{-3}), -1);
  EXPECT_EQ(prim::pow(int64_t{0}, int64_t{0}), 1);
  EXPECT_EQ(prim::pow(int64_t{9}, 0.5f), 3);
  EXPECT_EQ(prim::pow(2.0f, int64_t{-1}), 0.5f);
  EXPECT_EQ(prim::pow(not_a_number, 0.0), 1);
  EXPECT_EQ(prim::pow(-3.0, 3.0), -27);
}

TEST(Primitives, casts_from_floats_truncate_and_saturate) {
  EXPECT_EQ(cast<int32_t>(-1.9f), -1);
  EXPECT_EQ(cast<int32_t>(3e9f), std::numeric_limits<int32_t>::max());
  EXPECT_EQ(cast<int32_t>(-inf), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(cast<int32_t>(2147483647.0), 2147483647);
  EXPECT_EQ(cast<int32_t>(not_a_number), 0);
  EXPECT_EQ(cast<uint8_t>(300.0f), 255);
  EXPECT_EQ(cast<uint8_t>(-0.5f), 0);
  EXPECT_EQ(cast<int64_t>(1e30), greatest);
  EXPECT_EQ(cast<uint64_t>(1.5e19), 15000000000000000000u);
  EXPECT_TRUE(cast<bool>(not_a_number));
  EXPECT_FALSE(cast<bool>(-0.0f));
  EXPECT_EQ(cast<uint8_t>(int64_t{300}), 44) << "integers wrap";
}

TEST(Primitives, infinities_of_the_wanted_sign) {
  EXPECT_TRUE(is_inf(-inf));
  EXPECT_FALSE(is_inf(not_a_number));
  EXPECT_FALSE(is_inf(inf, false, true));
  EXPECT_TRUE(is_inf(-inf, false, true));
  EXPECT_FALSE(is_inf(int64_t{5}));
}

}  // namespace
}  // namespace burnish::prim
