#include "cli/report/match.h"

#include <gtest/gtest.h>

namespace burnish::cli::report {
namespace {

Json layers(std::vector<std::vector<std::string>> nodes) {
  Json list = Json::array();
  for (const std::vector<std::string>& each : nodes) list.push_back({{"nodes", each}});
  return list;
}

TEST(Match, LayersThatShareNodesStandTogether) {
  // The first engine fuses conv and relu, the second relu and pool: nothing less than all three is comparable.
  const Json rows = match_layers(layers({{"conv", "relu"}, {"pool"}, {"fc"}}),
                                 layers({{"conv"}, {"relu", "pool"}, {"fc"}}));
  EXPECT_EQ(rows.dump(),
            R"([{"nodes":["conv","relu","pool"],"a":[0,1],"b":[0,1]},{"nodes":["fc"],"a":[2],"b":[2]}])");
}

TEST(Match, ALayerWithoutAPartnerStandsAlone) {
  const Json rows = match_layers(layers({{}, {"a"}}), layers({{"a"}, {}, {"b"}}));
  EXPECT_EQ(rows.dump(), R"([{"nodes":[],"a":[0],"b":[]},{"nodes":["a"],"a":[1],"b":[0]},)"
                         R"({"nodes":[],"a":[],"b":[1]},{"nodes":["b"],"a":[],"b":[2]}])");
}

TEST(Match, EveryLayerIsInOneRow) {
  const Json rows = match_layers(layers({{"x", "y"}, {"z"}, {"x"}}), layers({{"y"}, {"z", "x"}}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["a"].size(), 3u);
  EXPECT_EQ(rows[0]["b"].size(), 2u);
}

}  // namespace
}  // namespace burnish::cli::report
