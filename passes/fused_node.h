#pragma once

#include <span>
#include <vector>

#include "ir/op.h"

namespace burnish {

/// What one kernel may hold of pointwise work.
inline constexpr size_t most_fused_nodes = 48, most_fused_operands = 12, most_fused_results = 8;

/// Whether the node is one that `Fused` may hold anywhere.
inline bool is_pointwise(const Node& node) {
  return node.op->scalar && node.outputs.size() == 1 && node.outputs[0] != no_value;
}

/// Whether the node takes parts of a value along an axis.
inline bool is_cut(const Node& node) { return node.op->name == "Slice" || node.op->name == "Split"; }

/// Whether v is a number that a kernel holds as text.
inline bool is_number(const Graph& graph, ValueId v) {
  const Tensor* constant = graph.constant(v);
  return constant && constant->count() == 1;
}

/// Whether a kernel holds the numbers that the node reads as text. What values are quantized by differs from layer to layer: in memory
/// it leaves layers that are alike one kernel.
inline bool reads_numbers_as_text(const Node& node) {
  return is_pointwise(node) && node.op->name != "QuantizeLinear" && node.op->name != "DequantizeLinear";
}

/// A Fused node of `parts`, single nodes or Fused ones of `graph`, each after those that it reads; what takes halves of columns
/// that a part makes becomes slices. They are moved from. Of what they make it gives `results`.
Node fused_node(Graph& graph, std::span<Node* const> parts, std::vector<ValueId> results);

}  // namespace burnish
