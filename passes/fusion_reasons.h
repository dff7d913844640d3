#pragma once

#include <string>
#include <vector>

#include "passes/pass.h"

namespace burnish {

/// Of a graph after the passes: for each pointwise node (or group of them) why it is not one kernel with another that it might be
/// one with: what writes what it reads, if that kernel has room for it, or reads the same:
/// "node 'relu' (Relu): what it reads of node 'conv' (Conv) is read by others too".
std::vector<std::string> fusion_reasons(const Graph& graph, const UsualExtent& usual);

}  // namespace burnish
