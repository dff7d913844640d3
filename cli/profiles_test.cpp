#include "cli/profiles.h"

#include <gtest/gtest.h>

#include "cli/failure.h"

namespace burnish::cli {
namespace {

TEST(Profiles, Reads) {
  struct Case {
    std::vector<std::string> texts;
    std::vector<Profile> profiles;
  };
  const Case cases[] = {
      {{}, {}},
      {{"x:1..4..8x3"}, {{{"x", {{1, 3}, {4, 3}, {8, 3}}}}}},
      {{"x:7"}, {{{"x", {{7}, {7}, {7}}}}}},
      {{"x:"}, {{{"x", {}}}}},
      {{"input:0:1..2..3,y:5"}, {{{"input:0", {{1}, {2}, {3}}}, {"y", {{5}, {5}, {5}}}}}},
      {{"x:1..1..1", "x:2..4..8"}, {{{"x", {{1}, {1}, {1}}}}, {{"x", {{2}, {4}, {8}}}}}},
  };
  for (const Case& c : cases)
    EXPECT_EQ(parse_profiles(c.texts), c.profiles) << (c.texts.empty() ? "" : c.texts[0]);
}

TEST(Profiles, Refuses) {
  const std::pair<const char*, const char*> cases[] = {
      {"x", "--profile: 'x' lacks a ':' after the input's name"},
      {":1", "--profile: ':1' lacks a name before the ':'"},
      {"x:1..2", "--profile: '1..2' in 'x:1..2' is no range"},
      {"x:1..b..3", "--profile: 'b' in 'x:1..b..3' is no extent"},
      {"x:1x?", "--profile: '?' in 'x:1x?' is no extent"},
      {"x:1,x:2", "--profile: 'x' is given twice in one profile"},
  };
  for (const auto& [text, cause] : cases) {
    try {
      parse_profiles({text});
      ADD_FAILURE() << text << " was taken";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.cause, cause);
      EXPECT_NE(failure.remedy, "");
    }
  }
}

}  // namespace
}  // namespace burnish::cli
