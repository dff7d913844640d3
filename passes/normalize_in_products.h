#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace burnish {

/// Why products that read what a normalisation makes do not normalise it themselves, a line each.
std::vector<std::string> normalization_reasons(const Graph& graph);

}  // namespace burnish
