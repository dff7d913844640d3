#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace burnish {

/// Of a graph after the pass: for each pointwise node (or group of them) that reads what a kernel with room for it writes, why
/// the two are not one: "node 'relu' (Relu): what it reads of node 'conv' (Conv) is read by others too".
std::vector<std::string> fusion_reasons(const Graph& graph);

}  // namespace burnish
