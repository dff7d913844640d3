#include "cli/shapes.h"

#include <gtest/gtest.h>

#include "cli/failure.h"

namespace burnish::cli {
namespace {

TEST(Shapes, Reads) {
  struct Case {
    std::vector<std::string> texts;
    Shapes shapes;
  };
  const Case cases[] = {
      {{}, {}},
      {{"x:1x3x224x224"}, {{"x", {1, 3, 224, 224}}}},
      {{"x:?x3x-1"}, {{"x", {-1, 3, -1}}}},
      {{"x:7"}, {{"x", {7}}}},
      {{"x:"}, {{"x", {}}}},
      {{"x:0x2"}, {{"x", {0, 2}}}},
      {{"input:0:1x2"}, {{"input:0", {1, 2}}}},
      {{"serving:in put/x:1x2"}, {{"serving:in put/x", {1, 2}}}},
      {{"x:1x2,y:3"}, {{"x", {1, 2}}, {"y", {3}}}},
      {{"x:1x2", "y:3"}, {{"x", {1, 2}}, {"y", {3}}}},
      {{"x:1099511627776"}, {{"x", {int64_t{1} << 40}}}},
  };
  for (const Case& c : cases)
    EXPECT_EQ(parse_shapes(c.texts), c.shapes) << (c.texts.empty() ? "" : c.texts[0]);
}

TEST(Shapes, Refuses) {
  const std::pair<const char*, const char*> cases[] = {
      {"x", "--shapes: 'x' lacks a ':' after the input's name"},
      {"", "--shapes: '' lacks a ':' after the input's name"},
      {":1x2", "--shapes: ':1x2' lacks a name before the ':'"},
      {"x:1x", "--shapes: '' in 'x:1x' is no extent"},
      {"x:ax2", "--shapes: 'a' in 'x:ax2' is no extent"},
      {"x:-2x2", "--shapes: '-2' in 'x:-2x2' is no extent"},
      {"x:1.5", "--shapes: '1.5' in 'x:1.5' is no extent"},
      {"x:99999999999999999999", "--shapes: '99999999999999999999' in 'x:99999999999999999999' is no extent"},
      {"x:1X2", "--shapes: '1X2' in 'x:1X2' is no extent"},
      {"x:1,", "--shapes: '' lacks a ':' after the input's name"},
      {"x:1,x:2", "--shapes: 'x' is given twice"},
      {"x:1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1", "--shapes: 'x' has 17 axes"},
  };
  for (auto [text, cause] : cases) {
    try {
      parse_shapes({text});
      ADD_FAILURE() << text << " was taken";
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.cause, cause);
      EXPECT_FALSE(failure.remedy.empty());
    }
  }
}

TEST(Shapes, OneNameOneExtent) {
  const int64_t free2[] = {-1, -1}, fixed[] = {-1, 3};
  const char *axes[] = {"batch", "seq"}, *fixed_axes[] = {"batch", "3"};
  burnish_port ids{"ids", BURNISH_I64, 2, free2, axes}, x{"x", BURNISH_F32, 2, fixed, fixed_axes};
  FreeExtents extents(1);
  extents.learn(x, {5, -1});
  EXPECT_EQ(extents.decide(ids, nullptr), (std::vector<int64_t>{5, FreeExtents::otherwise}));
  std::vector<int64_t> asked{-1, -1};
  EXPECT_EQ(extents.decide(x, &asked), (std::vector<int64_t>{5, 3}));
}

}  // namespace
}  // namespace burnish::cli
