#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/burnish_compiler.h"
#include "cli/shapes.h"

namespace burnish::cli {

/// What the axes of one input may be, and what the engine is tuned for.
struct ShapeRange {
  std::vector<int64_t> min, opt, max;
  bool operator==(const ShapeRange&) const = default;
};
/// By input.
using Profile = std::map<std::string, ShapeRange>;

/// Reads "images:1..8..32x3x224x224,mask:1..8..32": of each axis min, opt and max, or one number that is all three. One
/// profile each. Throws Failure.
std::vector<Profile> parse_profiles(const std::vector<std::string>& texts);

/// The C form of profiles; valid as long as those are.
class ProfileList {
 public:
  explicit ProfileList(const std::vector<Profile>& profiles);
  const burnish_profile* data() const { return profiles_.data(); }
  int size() const { return static_cast<int>(profiles_.size()); }

 private:
  std::vector<std::vector<burnish_shape_range>> ranges_;
  std::vector<burnish_profile> profiles_;
};

/// What an engine's first profile is tuned for, by input; nothing for an engine without profiles.
Shapes opt_shapes(const burnish_engine* engine);

}  // namespace burnish::cli
