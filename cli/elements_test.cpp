#include "cli/elements.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace burnish::cli {
namespace {

TEST(Elements, HalfIsTheCompilersHalf) {
  Array array{BURNISH_F16, {1}, std::vector<std::byte>(2)};
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    auto half = static_cast<uint16_t>(bits);
    _Float16 want;
    std::memcpy(&want, &half, 2);
    std::memcpy(array.bytes.data(), &half, 2);
    double got = load_element(array, 0);
    if (std::isnan(static_cast<double>(want))) {
      EXPECT_TRUE(std::isnan(got)) << bits;
      continue;
    }
    EXPECT_EQ(got, static_cast<double>(want)) << bits;
    // Values beside this one and half way to the next round as the compiler rounds them.
    for (double near : {got, std::nextafter(got, 1e9), got + std::fabs(got) * 0x1p-11, got + 0x1p-25}) {
      if (std::isnan(near)) continue;  // minus infinity plus infinity
      store_element(array, 0, near);
      auto rounded = static_cast<_Float16>(near);
      EXPECT_EQ(0, std::memcmp(&rounded, array.bytes.data(), 2)) << near;
    }
  }
}

TEST(Elements, DifferenceKnowsNanAndInfinity) {
  constexpr float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  auto array = [](std::vector<float> values) {
    Array a{BURNISH_F32, {static_cast<int64_t>(values.size())}, std::vector<std::byte>(values.size() * 4)};
    for (size_t i = 0; i < values.size(); ++i) store_element(a, i, values[i]);
    return a;
  };
  EXPECT_EQ(difference(array({nan, inf, 1}), array({nan, inf, 1})).relative_l2, 0);
  EXPECT_EQ(difference(array({nan, 1}), array({2, 1})).relative_l2, HUGE_VAL);
  EXPECT_EQ(difference(array({inf, 1}), array({-inf, 1})).relative_l2, HUGE_VAL);
  EXPECT_EQ(difference(array({0, 1}), array({0, 0})).relative_l2, HUGE_VAL);
  EXPECT_EQ(difference(array({}), array({})).relative_l2, 0);
  Difference apart = difference(array({3, 4.5}), array({3, 4}));
  EXPECT_DOUBLE_EQ(apart.relative_l2, 0.1);
  EXPECT_EQ(apart.max_absolute, 0.5);
  EXPECT_EQ(apart.worst, 1);
}

}  // namespace
}  // namespace burnish::cli
