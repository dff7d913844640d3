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
}

}  // namespace
}  // namespace burnish::cli
