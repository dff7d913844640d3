#include "ir/control_flow.h"
#include "passes/pass.h"

namespace burnish {

namespace {

constexpr int64_t largest = 16;  // elements: what the text form spells out

// What is not spelled out in the text of a loop: tensors too large for it, and weights that may become others.
bool is_handed_in(const Tensor& t, const PassContext& context) {
  return t.count() > largest || (context.weights_vary && is_float(t.dtype()) && t.count() > 1);
}

// Constant v of region r becomes a capture of the node, which all its regions take.
void lift(Graph& graph, Node& node, size_t r, ValueId v) {
  Value& value = node.regions[r].values[v];
  node.inputs.push_back(graph.add_constant(*value.constant, value.name));
  for (Graph& region : node.regions) {
    const bool own = &region == &node.regions[r];
    const ValueId in = own ? v : region.add_value(value.type, value.name);
    region.values[in].content = value.content;
    region.inputs.push_back(in);
  }
  value.constant.reset();
}

// Out of everything that belongs to a loop, up to the graph that the loop stands in.
bool lift_out_of(Graph& graph, bool in_loop, const PassContext& context) {
  bool changed = false;
  for (Node& node : graph.nodes) {
    if (node.dead || !is_control_flow(node)) continue;
    const bool loop = in_loop || iterates(node);
    for (size_t r = 0; r < node.regions.size(); ++r) {
      changed = lift_out_of(node.regions[r], loop, context) || changed;
      const std::vector<uint32_t> uses = node.regions[r].use_counts();
      for (ValueId v = 0; loop && v < uses.size(); ++v)
        if (const Tensor* t = node.regions[r].constant(v); t && uses[v] > 0 && is_handed_in(*t, context)) {
          lift(graph, node, r, v);
          changed = true;
        }
    }
  }
  return changed;
}

Result<bool> run(Graph& graph, const PassContext& context) { return lift_out_of(graph, false, context); }

}  // namespace

extern const Pass pass_lift_constants;
const Pass pass_lift_constants = {"lift_constants",
                                  "hands large constants into loops instead of keeping them there", run};

}  // namespace burnish
