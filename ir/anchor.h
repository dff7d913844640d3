#pragma once

#include <string_view>

#include "ir/op.h"

namespace burnish {

/// Whether a node's elements are functions of elements: what a Fused body may hold around its anchor.
inline bool is_elementwise(const Node& node) { return node.op->scalar || node.op->name == "Identity"; }

/// The node of a Fused body whose kernel does its work: the last that is neither pointwise nor takes halves of columns; in pointwise work
/// alone, the first.
inline size_t anchor_index(const Graph& body) {
  size_t anchor = 0;
  for (size_t i = 1; i < body.nodes.size(); ++i)
    if (!is_elementwise(body.nodes[i]) && body.nodes[i].op->name != "Slice") anchor = i;
  return anchor;
}

/// The node itself, or the anchor of a Fused one.
inline const Node& anchor_of(const Node& node) {
  return node.op->name == "Fused" ? node.regions[0].nodes[anchor_index(node.regions[0])] : node;
}

}  // namespace burnish
