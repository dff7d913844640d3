#include "runtime/profiles.h"

namespace burnish {

namespace {

std::string range_text(const ExtentRange& r) {
  if (r.min == r.max) return "must be " + std::to_string(r.min);
  if (r.max >= DimTable::unbounded) return "must be at least " + std::to_string(r.min);
  return "must be from " + std::to_string(r.min) + " to " + std::to_string(r.max);
}

/// What the profile refuses first; empty: nothing.
std::string refusal(const Plan& plan, const Profile& profile, std::span<const Shape> shapes) {
  for (size_t i = 0; i < shapes.size(); ++i)
    for (size_t axis = 0; axis < shapes[i].size(); ++axis)
      if (const ExtentRange& r = profile.inputs[i].axes[axis];
          shapes[i][axis] < r.min || shapes[i][axis] > r.max)
        return "input '" + plan.inputs[i].name + "' axis " + std::to_string(axis) + " " + range_text(r) +
               ", got " + std::to_string(shapes[i][axis]);
  return {};
}

}  // namespace

Result<> check_profiles(const Plan& plan, std::optional<size_t> chosen, std::span<const Shape> shapes) {
  std::string refusals;
  for (size_t i = 0; i < plan.profiles.size(); ++i) {
    if (chosen && i != *chosen) continue;
    const std::string why = refusal(plan, plan.profiles[i], shapes);
    if (why.empty()) return {};
    refusals += (refusals.empty() ? "" : "; ") + ("in profile " + std::to_string(i) + " ") + why;
  }
  if (refusals.empty()) return {};
  return Error(Code::invalid_argument, refusals)
      .remedy(chosen && plan.profiles.size() > 1
                  ? "give extents that this profile takes, or choose another"
                  : "give extents that a profile takes, or build the engine with a wider one");
}

}  // namespace burnish
