#pragma once

#include <string>
#include <string_view>

#include "compiler/compile.h"

namespace burnish {

// A build route is a choice for some of the knobs that a build has, as text: "-optimization_level=4 -libraries=cublaslt". It is what
// tuning whole builds tries out.

/// The knobs as JSON: {tuner_version, tuner_options: [{option, allowed_values, default_value, help}]}.
std::string build_knobs();

/// Sets what a route says, whatever was set before. Error invalid_argument for a knob that there is not, or a value that it does not
/// have.
Result<> apply_build_route(std::string_view route, CompileOptions& options);

}  // namespace burnish
