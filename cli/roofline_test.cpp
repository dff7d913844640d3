#include "cli/roofline.h"

#include <gtest/gtest.h>

namespace burnish::cli {
namespace {

TEST(Roofline, NeighboursOfOneNameAreALayer) {
  const std::vector<Layer> layers = layers_of(Json::parse(R"([
    {"name": "conv", "ms": 0.25, "least_ms": 0.125},
    {"name": "conv", "ms": 0.5},
    {"name": "add", "ms": 1.0, "least_ms": 0.5},
    {"name": "conv", "ms": 2.0}
  ])"));
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[0].name, "conv");
  EXPECT_EQ(layers[0].ms, 0.75);
  EXPECT_EQ(layers[0].least_ms, 0.125);
  EXPECT_EQ(layers[1].least_ms, 0.5);
  EXPECT_FALSE(layers[2].least_ms);
  EXPECT_EQ(least_ms(layers), 0.625);
}

TEST(Roofline, WhereNoLayerSaysWhatItTakesNothingIsKnown) {
  EXPECT_FALSE(least_ms(layers_of(Json::parse(R"([{"name": "a", "ms": 1}])"))));
  EXPECT_FALSE(least_ms({}));
}

}  // namespace
}  // namespace burnish::cli
