#include "cli/trtexec/build_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "cli/trtexec/shape_spec.h"

namespace burnish::cli::trtexec {

static RouteKnob parse_route_knob(std::string_view flag, const std::string& word) {
  const size_t equals = word.find('=');
  RouteKnob knob;
  if (word.front() == '-' && equals != word.npos) {
    knob.name = word.substr(1, equals - 1);
    const std::string value = word.substr(equals + 1);
    const bool several = value.size() >= 2 && value.front() == '[' && value.back() == ']';
    knob.values = several ? split_list(value.substr(1, value.size() - 2), '|') : split_list(value, '|');
    if (!several && knob.values.size() > 1) knob.values.clear();
  }
  const bool whole =
      !knob.name.empty() && !knob.values.empty() &&
      std::ranges::none_of(knob.values, [](const std::string& value) { return value.empty(); });
  if (!whole) throw BadValue{fmt::format("{}: '{}' is neither -knob=value nor -knob=[a|b]", flag, word)};
  return knob;
}

std::vector<RouteKnob> parse_route_knobs(std::string_view flag, const std::string& text) {
  std::vector<RouteKnob> knobs;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    knobs.push_back(parse_route_knob(flag, word));
    if (std::ranges::count(knobs, knobs.back().name, &RouteKnob::name) > 1)
      throw BadValue{fmt::format("{}: knob '{}' is given twice", flag, knobs.back().name)};
  }
  if (knobs.empty()) throw BadValue{fmt::format("{} holds no knob", flag)};
  return knobs;
}

std::string route_text(const std::vector<RouteKnob>& knobs, const Route& route) {
  std::string text;
  for (size_t k = 0; k < knobs.size(); ++k)
    text += fmt::format("{}-{}={}", k ? " " : "", knobs[k].name, knobs[k].values[route[k]]);
  return text;
}

std::vector<Route> single_changes(const std::vector<RouteKnob>& knobs) {
  std::vector<Route> routes{Route(knobs.size(), 0)};
  for (size_t k = 0; k < knobs.size(); ++k)
    for (size_t value = 1; value < knobs[k].values.size(); ++value) {
      routes.push_back(routes.front());
      routes.back()[k] = value;
    }
  return routes;
}

std::vector<Route> combinations(const std::vector<std::vector<size_t>>& allowed) {
  std::vector<Route> routes{Route()};
  for (const std::vector<size_t>& values : allowed) {
    std::vector<Route> longer;
    for (const Route& route : routes)
      for (size_t value : values) {
        longer.push_back(route);
        longer.back().push_back(value);
      }
    routes = std::move(longer);
  }
  return routes;
}

std::vector<Route> all_routes(const std::vector<RouteKnob>& knobs) {
  std::vector<std::vector<size_t>> allowed;
  for (const RouteKnob& knob : knobs) {
    std::vector<size_t>& values = allowed.emplace_back();
    for (size_t value = 0; value < knob.values.size(); ++value) values.push_back(value);
  }
  return combinations(allowed);
}

}  // namespace burnish::cli::trtexec
