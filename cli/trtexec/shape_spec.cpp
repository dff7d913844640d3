#include "cli/trtexec/shape_spec.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "api/burnish.h"

namespace burnish::cli::trtexec {

template <class Number>
static Number parse_number(std::string_view flag, std::string_view text, const char* what) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    throw BadValue{fmt::format("{}: '{}' is no {}", flag, text, what)};
  return value;
}

int64_t parse_integer(std::string_view flag, std::string_view text) {
  return parse_number<int64_t>(flag, text, "whole number");
}
double parse_real(std::string_view flag, std::string_view text) {
  const auto value = parse_number<double>(flag, text, "number");
  if (!std::isfinite(value)) throw BadValue{fmt::format("{}: '{}' is no number", flag, text)};
  return value;
}

int64_t parse_size(std::string_view flag, std::string_view text) {
  double unit = 1 << 20;
  constexpr std::string_view letters = "BKMG";
  if (!text.empty())
    if (const size_t at = letters.find(text.back()); at != letters.npos) {
      unit = std::pow(1024.0, static_cast<double>(at));
      text.remove_suffix(1);
    }
  const double bytes = parse_real(flag, text) * unit;
  if (bytes < 0) throw BadValue{fmt::format("{}: a size is not negative", flag)};
  if (bytes > 1e18) throw BadValue{fmt::format("{}: '{}' is too large", flag, text)};
  return static_cast<int64_t>(bytes);
}

std::vector<std::string> split_list(std::string_view text, char separator) {
  std::vector<std::string> parts;
  bool quoted = false;
  std::string part;
  for (const char c : text) {
    if (c == '\'') quoted = !quoted;
    if (c == separator && !quoted) parts.push_back(std::exchange(part, {}));
    else part += c;
  }
  if (!text.empty()) parts.push_back(part);
  return parts;
}

std::vector<std::pair<std::string, std::string>> parse_pairs(std::string_view flag, std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& one : split_list(text, ',')) {
    const size_t colon = one.rfind(':');
    if (colon == one.npos || colon == 0 || one.ends_with('\''))
      throw BadValue{fmt::format("{}: '{}' lacks a name and a colon before its value", flag, one)};
    std::string name = one.substr(0, colon);
    if (name.size() >= 2 && name.front() == '\'' && name.back() == '\'')
      name = name.substr(1, name.size() - 2);
    if (name.find('*') != name.rfind('*'))
      throw BadValue{fmt::format("{}: '{}' holds more than one *", flag, name)};
    pairs.emplace_back(std::move(name), one.substr(colon + 1));
  }
  return pairs;
}

ShapeSpec parse_shape_spec(std::string_view flag, std::string_view text) {
  ShapeSpec spec;
  for (const auto& [name, dims] : parse_pairs(flag, text)) {
    Extents shape;
    if (dims != "scalar")
      for (const std::string& extent : split_list(dims, 'x')) {
        shape.push_back(parse_integer(flag, extent));
        if (shape.back() < 0) throw BadValue{fmt::format("{}: '{}' of '{}' is negative", flag, extent, name)};
      }
    if (shape.size() > BURNISH_MAX_RANK)
      throw BadValue{fmt::format("{}: '{}' has {} axes; a tensor has {} at most", flag, name, shape.size(),
                                 BURNISH_MAX_RANK)};
    spec.emplace_back(name, std::move(shape));
  }
  return spec;
}

bool matches(std::string_view pattern, std::string_view name) {
  const size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == name;
  return name.size() + 1 >= pattern.size() && name.starts_with(pattern.substr(0, star)) &&
         name.ends_with(pattern.substr(star + 1));
}

const Extents* find_shape(const ShapeSpec& spec, std::string_view name) {
  const Extents *exact = nullptr, *fitting = nullptr;
  for (const auto& [pattern, shape] : spec) {
    if (pattern == name) exact = &shape;
    if (matches(pattern, name)) fitting = &shape;
  }
  return exact ? exact : fitting;
}

int64_t element_count(const Extents& shape) {
  int64_t count = 1;
  for (const int64_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count) || count > int64_t{1} << 40)
      throw BadValue{fmt::format("a tensor of {} is too large", dims_text(shape))};
  return count;
}

std::string dims_text(const Extents& shape) {
  return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
}

}  // namespace burnish::cli::trtexec
