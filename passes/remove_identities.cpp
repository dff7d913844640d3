#include <algorithm>

#include "ir/op.h"
#include "passes/pass.h"

namespace burnish {

namespace {

bool is_identity(const Graph& g, const Node& node) {
  if (node.inputs.empty() || node.outputs.size() != 1 || node.outputs[0] == no_value ||
      node.inputs[0] == no_value)
    return false;
  const TensorType &in = g.values[node.inputs[0]].type, &out = g.values[node.outputs[0]].type;
  if (node.op->name == "Identity") return true;
  if (in != out) return false;
  if (node.op->name == "Pad") {
    const auto* pads = g.content(node.inputs[1]);
    return pads && std::all_of(pads->begin(), pads->end(), [&](Dim d) { return g.dims->is_constant(d, 0); });
  }
  if (node.op->name == "Cast" || node.op->name == "Reshape" || node.op->name == "Expand") return true;
  if (node.op->name == "Slice" && in.shape == out.shape) {
    const auto* steps = node.inputs.size() > 4 ? g.content(node.inputs[4]) : nullptr;
    const bool forward = node.inputs.size() <= 4 || node.inputs[4] == no_value ||
                         (steps && std::all_of(steps->begin(), steps->end(),
                                               [&](Dim d) { return g.dims->is_constant(d, 1); }));
    return forward;
  }
  return false;
}

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_graph(graph, [](Graph& g) -> Result<bool> {
    std::vector<ValueId> forward(g.values.size());
    for (ValueId v = 0; v < forward.size(); ++v) forward[v] = v;
    bool changed = false;
    for (Node& node : g.nodes) {
      if (node.dead || !is_identity(g, node)) continue;
      const ValueId v = node.outputs[0];
      if (std::find(g.outputs.begin(), g.outputs.end(), v) != g.outputs.end())
        continue;  // an output has a value of its own
      forward[v] = node.inputs[0];
      node.dead = changed = true;
    }
    if (changed) g.replace_uses(forward);
    g.index();
    return changed;
  });
}

}  // namespace

extern const Pass pass_remove_identities;
const Pass pass_remove_identities = {"remove_identities",
                                     "removes casts, reshapes, slices and pads that change nothing", run};

}  // namespace burnish
