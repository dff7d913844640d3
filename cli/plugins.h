#pragma once

#include <string>
#include <vector>

#include "api/burnish.h"

namespace burnish::cli {

/// Opens libraries of operators, for builds and for runs of this process. Throws Failure.
std::vector<const burnish_plugin*> load_plugins(const std::vector<std::string>& files);

}  // namespace burnish::cli
