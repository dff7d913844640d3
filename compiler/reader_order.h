#pragma once

#include <vector>

#include "ir/graph.h"

namespace burnish {

/// Axes of v from the slowest to the fastest as the Transpose wants them that alone reads v, at once or behind reshapes that
/// join axes: written so, what it gives lies row-major. Empty if there is none, or if the last axis would not stay the fastest.
std::vector<int> order_of_reader(const Graph& graph, ValueId v);

}  // namespace burnish
