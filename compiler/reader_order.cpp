#include "compiler/reader_order.h"

#include <algorithm>

#include "ir/op.h"

namespace burnish {

namespace {

const Node* only_reader(const Graph& graph, ValueId v) {
  const Node* reader = nullptr;
  if (std::find(graph.outputs.begin(), graph.outputs.end(), v) != graph.outputs.end()) return nullptr;
  for (const Node& node : graph.nodes)
    for (ValueId input : node.inputs) {
      if (node.dead || input != v) continue;
      if (reader) return nullptr;
      reader = &node;
    }
  return reader;
}

/// The axes of a tensor, each as the axes of another one that it joins.
using Joined = std::vector<std::vector<int>>;

// `axes` after a Reshape from `in` to `out`; empty if that splits an axis.
Joined joined(DimTable& dims, const Joined& axes, const std::vector<Dim>& in, const std::vector<Dim>& out) {
  Joined result;
  size_t k = 0;
  for (Dim extent : out) {
    Dim product = dims.constant(1);
    std::vector<int> all;
    while (k < in.size() && (all.empty() || product != extent)) {
      product = dims.mul(product, in[k]);
      all.insert(all.end(), axes[k].begin(), axes[k].end());
      ++k;
    }
    if (all.empty() || product != extent) return {};
    result.push_back(std::move(all));
  }
  return k == in.size() ? result : Joined();
}

}  // namespace

std::vector<int> order_of_reader(const Graph& graph, ValueId v) {
  Joined axes;
  for (size_t k = 0; k < graph.values[v].type.shape.size(); ++k) axes.push_back({static_cast<int>(k)});
  while (const Node* reader = only_reader(graph, v)) {
    if (reader->op->name == "Transpose") {
      std::vector<int> order;
      for (int64_t axis : *reader->attrs.find<std::vector<int64_t>>("perm")) {
        const std::vector<int>& all = axes[static_cast<size_t>(axis)];
        order.insert(order.end(), all.begin(), all.end());
      }
      const bool last_stays = !order.empty() && order.back() == static_cast<int>(order.size()) - 1;
      return last_stays ? order : std::vector<int>();
    }
    if (reader->op->name != "Reshape" || reader->inputs[0] != v) break;
    const ValueId y = reader->outputs[0];
    axes = joined(*graph.dims, axes, graph.values[v].type.shape, graph.values[y].type.shape);
    if (axes.empty()) break;
    v = y;
  }
  return {};
}

}  // namespace burnish
