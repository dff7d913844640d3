#pragma once

#include <vector>

#include "ir/op.h"
#include "runtime/libraries/cudnn.h"

namespace burnish::cudnn {

/// A node's work as one graph of the library.
struct NodeGraph {
  OperationGraph graph;
  std::vector<size_t> tensors;           // that are in memory, of the graph
  std::vector<OperandPointer> operands;  // where each of them is
};

/// The work of a Conv with what is fused to it, or of an Attention, where the library may plan it as one graph; else the reason
/// why not.
Verdict graph_of(KernelCtx& ctx, NodeGraph& out);

}  // namespace burnish::cudnn
