#include "cli/trtexec/build_routes.h"

#include <gtest/gtest.h>

#include "cli/trtexec/shape_spec.h"

namespace burnish::cli::trtexec {
namespace {

std::vector<std::string> texts(const std::vector<RouteKnob>& knobs, const std::vector<Route>& routes) {
  std::vector<std::string> all;
  for (const Route& route : routes) all.push_back(route_text(knobs, route));
  return all;
}

TEST(BuildRoutes, Searches) {
  const auto knobs = parse_route_knobs("--f", "-a=[1|2|3]  -b=x\n-c=[p|q]");
  EXPECT_EQ(
      texts(knobs, single_changes(knobs)),
      (std::vector<std::string>{"-a=1 -b=x -c=p", "-a=2 -b=x -c=p", "-a=3 -b=x -c=p", "-a=1 -b=x -c=q"}));
  EXPECT_EQ(texts(knobs, all_routes(knobs)),
            (std::vector<std::string>{"-a=1 -b=x -c=p", "-a=1 -b=x -c=q", "-a=2 -b=x -c=p", "-a=2 -b=x -c=q",
                                      "-a=3 -b=x -c=p", "-a=3 -b=x -c=q"}));
  EXPECT_EQ(
      texts(knobs, combinations({{0, 2}, {0}, {0, 1}})),
      (std::vector<std::string>{"-a=1 -b=x -c=p", "-a=1 -b=x -c=q", "-a=3 -b=x -c=p", "-a=3 -b=x -c=q"}));
}

TEST(BuildRoutes, WhatIsNone) {
  const auto refusal = [](const std::string& text) -> std::string {
    try {
      (void)parse_route_knobs("--f", text);
    } catch (const BadValue& bad) {
      return bad.what;
    }
    return "";
  };
  for (const char* word : {"a=1", "-a", "-=1", "-a=", "-a=[]", "-a=[1||2]", "-a=1|2"})
    EXPECT_EQ(refusal(word), "--f: '" + std::string(word) + "' is neither -knob=value nor -knob=[a|b]")
        << word;
  EXPECT_EQ(refusal("-a=1 -a=2"), "--f: knob 'a' is given twice");
  EXPECT_EQ(refusal(" "), "--f holds no knob");
}

}  // namespace
}  // namespace burnish::cli::trtexec
