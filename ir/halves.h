#pragma once

#include <optional>

#include "ir/graph.h"

namespace burnish {

/// One of two equal parts of a value along an axis: what gated linear units take of a product's columns.
struct Half {
  ValueId whole;
  size_t axis;
  bool second;
};

/// Which half of its operand a node's result i is; nothing where it is none.
std::optional<Half> half_of(const Graph& graph, const Node& node, size_t i = 0);

/// The axis that a Fused node's body halves. Nodes before the first half belong to whole rows of the first node's result, those
/// after the halves to rows of the body's.
std::optional<size_t> halved_axis(const Graph& body);

}  // namespace burnish
