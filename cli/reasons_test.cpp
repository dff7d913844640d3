#include "cli/reasons.h"

#include <gtest/gtest.h>

namespace burnish::cli {
namespace {

TEST(Reasons, AreAboutTheNodeTheyName) {
  const std::string sentence = "node 'conv' (Conv): not here (yet): no";
  EXPECT_TRUE(is_about(sentence, "conv"));
  EXPECT_TRUE(is_about(sentence, "norm + conv + relu"));
  EXPECT_FALSE(is_about(sentence, "conv2 + xconv"));
  EXPECT_FALSE(is_about("it's broken", "conv"));
  EXPECT_EQ(reason_of(sentence), "not here (yet): no");
  EXPECT_EQ(reason_of("no node"), "no node");
  EXPECT_EQ(subject_of("dense copy of 'x': its kernel wants it so"), "dense copy of x");
  EXPECT_EQ(reason_of("dense copy of 'x': its kernel wants it so"), "its kernel wants it so");
}

}  // namespace
}  // namespace burnish::cli
