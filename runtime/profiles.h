#pragma once

#include <optional>
#include <span>

#include "plan/plan.h"
#include "runtime/tensor_ref.h"

namespace burnish {

/// Error invalid_argument unless the profile `chosen`, or where none is chosen any of the plan's, takes inputs of these shapes,
/// which the ports take. A plan without profiles takes them all.
Result<> check_profiles(const Plan& plan, std::optional<size_t> chosen, std::span<const Shape> shapes);

}  // namespace burnish
