#include "ir/control_flow.h"
#include "passes/pass.h"

namespace burnish {

namespace {

// A capture that no body reads any more is dropped, so that what made it can go too.
bool drop_unread_captures(Node& node, std::vector<uint32_t>& outer_uses) {
  if (!is_control_flow(node)) return false;
  bool changed = false;
  const size_t own = operands_before_captures(node);
  const size_t bodiless = node.inputs.size() - node.regions[0].inputs.size();  // an If's condition
  std::vector<std::vector<uint32_t>> uses;
  for (const Graph& region : node.regions) uses.push_back(region.use_counts());
  for (size_t i = node.inputs.size(); i-- > own;) {
    bool read = false;
    for (size_t r = 0; r < node.regions.size(); ++r)
      read = read || uses[r][node.regions[r].inputs[i - bodiless]] > 0;
    if (read) continue;
    --outer_uses[node.inputs[i]];
    node.inputs.erase(node.inputs.begin() + static_cast<std::ptrdiff_t>(i));
    for (Graph& region : node.regions)
      region.inputs.erase(region.inputs.begin() + static_cast<std::ptrdiff_t>(i - bodiless));
    changed = true;
  }
  return changed;
}

Result<bool> remove_dead(Graph& graph) {
  bool changed = false;
  std::vector<uint32_t> uses = graph.use_counts();
  for (const auto& [symbol, origin] : graph.origins)  // a tensor that extents are read from is needed
    if (origin.kind == SymbolOrigin::Kind::content) ++uses[origin.value];
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    Node& node = graph.nodes[i];
    if (node.dead) continue;
    bool used = false;
    for (ValueId v : node.outputs) used = used || (v != no_value && uses[v] > 0);
    if (used) {
      changed = drop_unread_captures(node, uses) || changed;
      continue;
    }
    node.dead = changed = true;
    for (ValueId v : node.inputs)
      if (v != no_value) --uses[v];
  }
  graph.index();
  return changed;
}

Result<bool> run(Graph& graph, const PassContext&) { return for_each_graph(graph, remove_dead); }

}  // namespace

extern const Pass pass_dead_code;
const Pass pass_dead_code = {"dead_code", "removes nodes whose results nobody reads", run};

}  // namespace burnish
