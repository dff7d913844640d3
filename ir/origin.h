#pragma once

#include "ir/graph.h"

namespace burnish {

/// The symbol of that origin, made with `range` on first use. Not resolved.
Dim symbol_of(Graph& graph, const SymbolOrigin& origin, Range range);

/// A copy of the graph and its regions with an extents' table of its own, which means the same.
Graph detached(const Graph& graph);

}  // namespace burnish
