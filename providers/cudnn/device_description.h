#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace burnish::cudnn {

/// A GPU of an architecture ("sm_90") as the library describes one to itself in JSON, for plans made where there is none. Of each
/// architecture the one that servers have; the library's plans run on all of it, and are likely the fastest there.
/// Error unsupported for an architecture that it does not know.
Result<std::string> describe_device(std::string_view architecture);

}  // namespace burnish::cudnn
