#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace burnish::cli::trtexec {

/// A knob of a build with the values that are to be tried; the first one is where the others are compared from.
struct RouteKnob {
  std::string name;
  std::vector<std::string> values;
};
/// Which value of each knob, by number.
using Route = std::vector<size_t>;

/// "-a=[1|2] -b=3": knobs with several values, and with one. Throws BadValue; `flag` names whose.
std::vector<RouteKnob> parse_route_knobs(std::string_view flag, const std::string& text);
/// "-a=2 -b=3".
std::string route_text(const std::vector<RouteKnob>& knobs, const Route& route);

/// The first values, then for each knob each other value with the first ones of the rest.
std::vector<Route> single_changes(const std::vector<RouteKnob>& knobs);
/// Every choice from the values that are allowed of each knob, which are numbers in their order.
std::vector<Route> combinations(const std::vector<std::vector<size_t>>& allowed);
/// Every choice.
std::vector<Route> all_routes(const std::vector<RouteKnob>& knobs);

}  // namespace burnish::cli::trtexec
