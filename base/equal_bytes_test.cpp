#include "base/equal_bytes.h"

#include <gtest/gtest.h>

#include <string>

namespace burnish {
namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(EqualBytes, NamesTheFirstBlockThatIsEqual) {
  const std::string one = "weights", other = "biases", same = "weights", longer = "weights and biases", none;
  EqualBytes equal;
  EXPECT_EQ(equal.add(bytes(one)), 0u);
  EXPECT_EQ(equal.add(bytes(other)), 1u);
  EXPECT_EQ(equal.add(bytes(same)), 0u);
  EXPECT_EQ(equal.add(bytes(longer)), 3u);
  EXPECT_EQ(equal.add(bytes(none)), 4u);
  EXPECT_EQ(equal.add(bytes(none)), 4u);
  EXPECT_EQ(equal.add(bytes(other)), 1u);
}

TEST(EqualBytes, TellsBlocksApartThatDifferAtTheirEnd) {
  const std::string zeros(100000, '\0');
  std::string last = zeros;
  last.back() = 1;
  const std::string same = last;
  EqualBytes equal;
  EXPECT_EQ(equal.add(bytes(zeros)), 0u);
  EXPECT_EQ(equal.add(bytes(last)), 1u);
  EXPECT_EQ(equal.add(bytes(same)), 1u);
}

}  // namespace
}  // namespace burnish
