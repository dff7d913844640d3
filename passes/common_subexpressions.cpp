#include <algorithm>
#include <map>

#include "ir/op.h"
#include "passes/pass.h"

namespace burnish {

namespace {

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_graph(graph, [](Graph& g) -> Result<bool> {
    std::map<std::pair<const OpDef*, std::vector<ValueId>>, std::vector<const Node*>> seen;
    std::vector<ValueId> forward(g.values.size());
    for (ValueId v = 0; v < forward.size(); ++v) forward[v] = v;
    bool changed = false;
    for (Node& node : g.nodes) {
      if (node.dead || !node.regions.empty()) continue;
      for (ValueId& v : node.inputs)
        if (v != no_value) v = forward[v];
      auto& same = seen[{node.op, node.inputs}];
      const Node* twin = nullptr;
      for (const Node* other : same) {
        bool equal = other->attrs == node.attrs && other->outputs.size() == node.outputs.size();
        for (size_t i = 0; equal && i < node.outputs.size(); ++i) {
          const ValueId a = other->outputs[i], b = node.outputs[i];
          equal = b == no_value || (a != no_value && g.values[a].type == g.values[b].type &&
                                    std::find(g.outputs.begin(), g.outputs.end(), b) == g.outputs.end());
        }
        if (equal) twin = other;
      }
      if (!twin) {
        same.push_back(&node);
        continue;
      }
      for (size_t i = 0; i < node.outputs.size(); ++i)
        if (node.outputs[i] != no_value) forward[node.outputs[i]] = twin->outputs[i];
      node.dead = changed = true;
    }
    if (changed) g.replace_uses(forward);
    g.index();
    return changed;
  });
}

}  // namespace

extern const Pass pass_common_subexpressions;
const Pass pass_common_subexpressions = {"common_subexpressions", "computes equal things once", run};

}  // namespace burnish
