#include "cli/profiles.h"

#include <charconv>
#include <string_view>

#include "cli/failure.h"

namespace burnish::cli {

static int64_t parse_extent(std::string_view text, const std::string& whole) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    fail("--profile: '" + std::string(text) + "' in '" + whole + "' is no extent",
         "write min..opt..max, or one number, with x between axes: --profile images:1..8..32x3x224x224");
  return value;
}

static void parse_axis(std::string_view text, const std::string& whole, ShapeRange& range) {
  const size_t first = text.find(".."), last = text.rfind("..");
  if (first == text.npos) {
    const int64_t extent = parse_extent(text, whole);
    for (std::vector<int64_t>* list : {&range.min, &range.opt, &range.max}) list->push_back(extent);
    return;
  }
  if (last == first)
    fail("--profile: '" + std::string(text) + "' in '" + whole + "' is no range", "write min..opt..max");
  range.min.push_back(parse_extent(text.substr(0, first), whole));
  range.opt.push_back(parse_extent(text.substr(first + 2, last - first - 2), whole));
  range.max.push_back(parse_extent(text.substr(last + 2), whole));
}

static void parse_input(const std::string& text, Profile& profile) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0)
    fail("--profile: '" + text + "' lacks " +
             (colon == 0 ? "a name before the ':'" : "a ':' after the input's name"),
         "write name:ranges, say --profile images:1..8..32x3x224x224");
  ShapeRange range;
  for (size_t begin = colon + 1; begin < text.size();) {
    const size_t end = std::min(text.find('x', begin), text.size());
    parse_axis(std::string_view(text).substr(begin, end - begin), text, range);
    begin = end + 1;
  }
  if (range.min.size() > BURNISH_MAX_RANK)
    fail("--profile: '" + text + "' has " + std::to_string(range.min.size()) + " axes",
         "a tensor has 16 at most");
  if (!profile.emplace(text.substr(0, colon), std::move(range)).second)
    fail("--profile: '" + text.substr(0, colon) + "' is given twice in one profile",
         "give each input one range; each --profile is a profile");
}

std::vector<Profile> parse_profiles(const std::vector<std::string>& texts) {
  std::vector<Profile> profiles;
  for (const std::string& text : texts) {
    Profile& profile = profiles.emplace_back();
    for (size_t begin = 0; begin <= text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size());
      parse_input(text.substr(begin, end - begin), profile);
      begin = end + 1;
    }
  }
  return profiles;
}

ProfileList::ProfileList(const std::vector<Profile>& profiles) {
  for (const Profile& profile : profiles) {
    std::vector<burnish_shape_range>& ranges = ranges_.emplace_back();
    for (const auto& [name, range] : profile)
      ranges.push_back({.name = name.c_str(),
                        .rank = static_cast<int>(range.min.size()),
                        .min = range.min.data(),
                        .opt = range.opt.data(),
                        .max = range.max.data()});
  }
  for (const auto& ranges : ranges_) profiles_.push_back({ranges.data(), static_cast<int>(ranges.size())});
}

Shapes opt_shapes(const burnish_engine* engine) {
  Shapes shapes;
  burnish_shape_range range;
  for (int i = 0; burnish_engine_profile(engine, 0, i, &range) == BURNISH_OK; ++i)
    shapes[range.name].assign(range.opt, range.opt + range.rank);
  return shapes;
}

}  // namespace burnish::cli
