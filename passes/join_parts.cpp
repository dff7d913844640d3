#include <algorithm>

#include "ir/op.h"
#include "passes/pass.h"

namespace burnish {

namespace {

// How many operands of the concatenation, from `first` on, are all parts of one split along its axis, in order.
size_t parts_of_split(const Graph& g, const Node& concat, size_t first) {
  const Node* split = g.producer(concat.inputs[first]);
  if (!split || split->op->name != "Split") return 0;
  const std::vector<ValueId>& parts = split->outputs;
  const bool same_axis = *split->attrs.find<int64_t>("axis") == *concat.attrs.find<int64_t>("axis");
  const bool all =
      concat.inputs.size() - first >= parts.size() &&
      std::equal(parts.begin(), parts.end(), concat.inputs.begin() + static_cast<std::ptrdiff_t>(first));
  return same_axis && all ? parts.size() : 0;
}

bool join(Graph& g, Node& concat) {
  std::vector<ValueId> joined;
  for (size_t i = 0; i < concat.inputs.size();) {
    const size_t parts = parts_of_split(g, concat, i);
    joined.push_back(parts ? g.producer(concat.inputs[i])->inputs[0] : concat.inputs[i]);
    i += std::max<size_t>(parts, 1);
  }
  if (joined.size() == concat.inputs.size()) return false;
  concat.inputs = std::move(joined);
  if (concat.inputs.size() == 1) {
    concat.op = find_op("Identity");
    concat.attrs = {};
  }
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_graph(graph, [](Graph& g) -> Result<bool> {
    bool changed = false;
    for (Node& node : g.nodes)
      if (!node.dead && node.op->name == "Concat") changed = join(g, node) || changed;
    return changed;
  });
}

}  // namespace

extern const Pass pass_join_parts;
const Pass pass_join_parts = {"join_parts", "concatenates what was split instead of its parts", run};

}  // namespace burnish
