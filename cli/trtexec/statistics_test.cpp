#include "cli/trtexec/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace burnish::cli::trtexec {
namespace {

TEST(Statistics, Median) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_TRUE(std::isinf(median({})));
}

TEST(Statistics, Percentile) {
  const std::vector<double> ten = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
  const std::pair<double, double> cases[] = {{0, 1}, {50, 5}, {75, 8}, {99, 10}, {100, 10}};
  for (const auto& [percent, value] : cases) EXPECT_EQ(percentile(percent, ten), value) << percent;
  EXPECT_TRUE(std::isinf(percentile(50, {})));
}

TEST(Statistics, CoefficientOfVariance) {
  EXPECT_DOUBLE_EQ(coefficient_of_variance(std::vector<double>{1, 3}), 50);
  EXPECT_EQ(coefficient_of_variance(std::vector<double>{2, 2}), 0);
  EXPECT_TRUE(std::isinf(coefficient_of_variance(std::vector<double>{-1, 1})));
}

TEST(Statistics, SixSignificantDigits) {
  EXPECT_EQ(number_text(1234567), "1.23457e+06");
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(3), "3");
}

TEST(Statistics, WallTimeSpansCopies) {
  Trace trace;
  trace.queries = {{.h2d_start = 100, .d2h_end = 150}, {.h2d_start = 120, .d2h_end = 300}};
  EXPECT_DOUBLE_EQ(trace.wall_seconds(), 0.2);
}

}  // namespace
}  // namespace burnish::cli::trtexec
