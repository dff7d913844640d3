#pragma once

#include <functional>
#include <vector>

#include "ir/graph.h"

namespace burnish {

/// Gives `rewrite` one node after the other: it appends to `out` what takes the node's place, or says false and leaves `out` alone.
/// Until all are done nothing moves, so that producers can be looked up. True if something changed.
inline Result<bool> rewrite_nodes(
    Graph& g, const std::function<Result<bool>(const Node&, std::vector<Node>& out)>& rewrite) {
  bool changed = false;
  std::vector<Node> nodes;
  for (const Node& node : g.nodes) {
    if (node.dead) continue;
    if (TRY(rewrite(node, nodes))) changed = true;
    else nodes.push_back(node);
  }
  if (!changed) return false;
  g.nodes = std::move(nodes);
  g.index();
  return true;
}

}  // namespace burnish
