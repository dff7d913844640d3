#pragma once

#include <span>
#include <string>

#include "ir/graph.h"

namespace burnish {

// A tensor inside the graph that can be looked at is one more output, after those that the model has: so it stays a tensor of its
// own, whatever passes do.

/// Adds those of these names, in their order. For the graph as imported. Error invalid_argument, naming one that it does not have.
Result<> add_debug_tensors(Graph& graph, std::span<const std::string> names);

/// Adds what nodes leave in memory under a name of the model, once all passes are done.
void add_unfused_tensors(Graph& graph);

}  // namespace burnish
