#include "ir/origin.h"

namespace burnish {

Dim symbol_of(Graph& graph, const SymbolOrigin& origin, Range range) {
  for (const auto& [symbol, from] : graph.origins)
    if (from == origin) return symbol;
  std::string hint = graph.values[origin.value].name;
  if (hint.empty()) hint = "v" + std::to_string(origin.value);
  const Dim d = graph.dims->fresh_symbol(hint + "." + std::to_string(origin.index), range);
  graph.origins[d] = origin;
  return d;
}

namespace {

void share_dims(Graph& graph, const std::shared_ptr<DimTable>& dims) {
  graph.dims = dims;
  for (Node& node : graph.nodes)
    for (Graph& region : node.regions) share_dims(region, dims);
}

}  // namespace

Graph detached(const Graph& graph) {
  Graph copy = graph;
  share_dims(copy, std::make_shared<DimTable>(*graph.dims));
  return copy;
}

}  // namespace burnish
