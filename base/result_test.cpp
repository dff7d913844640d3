#include "base/result.h"

#include <gtest/gtest.h>

namespace burnish {
namespace {

Result<int> half_of(int number) {
  if (number % 2) return Error(Code::invalid_argument, std::to_string(number) + " is odd").remedy("Add one.");
  return number / 2;
}

Result<int> quarter_of(int number) {
  const int half = TRY(half_of(number).during("halving"));
  return TRY(half_of(half).during("halving again")) + 0;
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(*quarter_of(8), 2);
  EXPECT_FALSE(quarter_of(6));
}

TEST(Result, FramesKeepTheErrorAndAddWhere) {
  const Result<int> failed = quarter_of(6).during("quartering");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::invalid_argument);
  EXPECT_EQ(failed.error().cause(), "3 is odd, while halving again, while quartering");
  EXPECT_EQ(failed.error().remedy(), "Add one.");
}

TEST(Result, FramesPassAValueThrough) { EXPECT_EQ(*half_of(4).during("nothing special"), 2); }

TEST(Error, TheInnermostRemedyWins) {
  const Error error = Error(Code::internal, "cause").remedy("inner").remedy("outer");
  EXPECT_EQ(error.remedy(), "inner");
}

}  // namespace
}  // namespace burnish
