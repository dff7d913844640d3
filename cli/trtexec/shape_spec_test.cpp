#include "cli/trtexec/shape_spec.h"

#include <gtest/gtest.h>

namespace burnish::cli::trtexec {
namespace {

TEST(ShapeSpec, Reads) {
  const std::pair<const char*, ShapeSpec> cases[] = {
      {"x:1x3x224x224", {{"x", {1, 3, 224, 224}}}},
      {"x:1x3,y:7", {{"x", {1, 3}}, {"y", {7}}}},
      {"x:scalar,y:", {{"x", {}}, {"y", {}}}},
      {"'Input:0':2x5", {{"Input:0", {2, 5}}}},
      {"'a,b':2,c:3", {{"a,b", {2}}, {"c", {3}}}},
      {"Input:0:2x5", {{"Input:0", {2, 5}}}},
      {"mask*:4", {{"mask*", {4}}}},
  };
  for (const auto& [text, spec] : cases) EXPECT_EQ(parse_shape_spec("--shapes", text), spec) << text;
}

TEST(ShapeSpec, ExactNamesCountBeforePatternsAndLaterOnesBeforeEarlier) {
  const ShapeSpec spec = parse_shape_spec("--shapes", "ids:1,i*:2,*:3,mask:4,mask:5");
  EXPECT_EQ(*find_shape(spec, "ids"), Extents{1});
  EXPECT_EQ(*find_shape(spec, "input"), Extents{3});
  EXPECT_EQ(*find_shape(spec, "mask"), Extents{5});
  EXPECT_EQ(find_shape(parse_shape_spec("--shapes", "a*b:1"), "ab1"), nullptr);
  EXPECT_NE(find_shape(parse_shape_spec("--shapes", "a*b:1"), "ab"), nullptr);
  EXPECT_EQ(find_shape(parse_shape_spec("--shapes", "a*a:1"), "a"), nullptr);
}

TEST(Sizes, AreMebibytesWithoutALetter) {
  const std::pair<const char*, int64_t> cases[] = {
      {"1", 1 << 20}, {"1.5K", 1536}, {"7B", 7}, {"0.3B", 0}, {"2G", int64_t{2} << 30}, {"0.5", 1 << 19}};
  for (const auto& [text, bytes] : cases) EXPECT_EQ(parse_size("--memPoolSize", text), bytes) << text;
  for (const char* text : {"", "K", "1T", "-1", "nan", "1e300G"})
    EXPECT_THROW(parse_size("--memPoolSize", text), BadValue) << text;
}

}  // namespace
}  // namespace burnish::cli::trtexec
