#pragma once

#include <string>
#include <vector>

#include "passes/pass.h"

namespace burnish {

/// Of a graph after the pass: for pointwise nodes of the same extents that read the same tensor, or one what the other makes, why
/// they are not one kernel: "node 'b' (Exp): node 'c' (MatMul) has to run between it and node 'a' (Neg)".
std::vector<std::string> merge_reasons(const Graph& graph, const UsualExtent& usual);

}  // namespace burnish
