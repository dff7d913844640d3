#include "compiler/debug_tensors.h"

#include <algorithm>
#include <set>

namespace burnish {

namespace {

/// The value that the model knows by that name: an input, or what the last node makes that gives it the name.
ValueId value_named(const Graph& graph, const std::string& name) {
  ValueId found = no_value;
  for (ValueId v : graph.inputs)
    if (graph.values[v].name == name) found = v;
  for (const Node& node : graph.nodes)
    for (ValueId v : node.outputs)
      if (v != no_value && graph.values[v].name == name) found = v;
  return found;
}

}  // namespace

Result<> add_debug_tensors(Graph& graph, std::span<const std::string> names) {
  for (const std::string& name : names) {
    const ValueId v = value_named(graph, name);
    if (v == no_value)
      return Error(Code::invalid_argument, "no tensor that the model computes is named '" + name + "'")
          .remedy("name an input or what a node makes; constants, and tensors inside of bodies, are none");
    graph.outputs.push_back(v);
  }
  graph.index();
  return {};
}

void add_unfused_tensors(Graph& graph) {
  std::set<std::string> taken{""};
  for (const auto* ports : {&graph.inputs, &graph.outputs})
    for (ValueId v : *ports) taken.insert(graph.values[v].name);
  for (const Node& node : graph.nodes)
    for (ValueId v : node.outputs) {
      if (node.dead || v == no_value || graph.content(v)) continue;  // extents are in no memory
      if (taken.insert(graph.values[v].name).second) graph.outputs.push_back(v);
    }
  graph.index();
}

}  // namespace burnish
