#pragma once

#include <functional>
#include <vector>

#include "passes/pass.h"

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

/// `rewrite_nodes` for all graphs that are lowered; `rewrite` is also given the graph, and how often each of its values was read
/// before.
inline Result<bool> rewrite_lowered_graphs(
    Graph& graph, const std::function<Result<bool>(Graph&, const std::vector<uint32_t>& uses, const Node&,
                                                   std::vector<Node>& out)>& rewrite) {
  return for_each_lowered_graph(graph, [&](Graph& g) {
    const std::vector<uint32_t> uses = g.use_counts();
    return rewrite_nodes(
        g, [&](const Node& node, std::vector<Node>& out) { return rewrite(g, uses, node, out); });
  });
}

}  // namespace burnish
