#pragma once

#include <span>
#include <vector>

#include "base/parallel.h"
#include "base/result.h"
#include "base/tensor.h"
#include "ir/graph.h"

namespace burnish {

/// The outputs of a graph for these inputs, node by node on the host. Every extent is known by then, so types are inferred
/// afresh, and operands that a build must know may be computed ones. Outputs may share the bytes of inputs and constants.
/// Errors name the node inside.
Result<std::vector<Tensor>> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs,
                                           ThreadPool& pool);

/// A tensor over the bytes of a view, for as long as their owner keeps them.
Tensor borrowed(const TensorView& view);

}  // namespace burnish
