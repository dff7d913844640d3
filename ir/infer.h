#pragma once

#include "ir/op.h"

namespace burnish {

/// Infers the types of node's outputs (and contents) from those of its inputs, and writes them into the graph.
/// Error names the node, the cause and the axis.
Result<> infer(Graph& graph, Node& node);
/// Every node in order, then all types with unified symbols replaced.
Result<> infer(Graph& graph);

}  // namespace burnish
