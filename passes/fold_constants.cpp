#include "ir/evaluate.h"
#include "passes/pass.h"

namespace burnish {

namespace {

constexpr int64_t largest = int64_t{1} << 24;  // elements: a larger constant is cheaper computed than stored

Result<bool> run(Graph& graph, const PassContext& context) {
  return for_each_graph(graph, [&](Graph& g) -> Result<bool> {
    bool changed = false;
    for (Node& node : g.nodes) {
      if (node.dead || !node.regions.empty()) continue;
      bool small = true;
      for (ValueId v : node.outputs)
        if (v != no_value)
          small = small && g.dims->range(g.dims->product(g.values[v].type.shape)).hi <= largest;
      if (small && TRY(fold(g, node, context.pool))) changed = true;
    }
    g.index();
    return changed;
  });
}

}  // namespace

extern const Pass pass_fold_constants;
const Pass pass_fold_constants = {"fold_constants", "computes what depends on constants only", run};

}  // namespace burnish
