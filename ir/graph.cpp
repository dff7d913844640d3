#include "ir/graph.h"

#include "ir/element.h"

namespace burnish {

ValueId Graph::add_value(TensorType type, std::string name) {
  values.push_back({.type = std::move(type), .name = std::move(name)});
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_constant(Tensor tensor, std::string name) {
  constexpr int64_t most_content = 4096;
  Value value{.name = std::move(name)};
  value.type.dtype = tensor.dtype();
  for (int64_t extent : tensor.shape()) value.type.shape.push_back(dims->constant(extent));
  if (!is_float(tensor.dtype()) && tensor.count() <= most_content) {
    value.content.emplace();
    for (int64_t i = 0; i < tensor.count(); ++i)
      value.content->push_back(dims->constant(integer_element(tensor, i)));
  }
  value.constant = std::make_shared<const Tensor>(std::move(tensor));
  values.push_back(std::move(value));
  return static_cast<ValueId>(values.size() - 1);
}

void Graph::index() {
  std::erase_if(nodes, [](const Node& node) { return node.dead; });
  for (Value& value : values) value.producer = no_node;
  for (uint32_t i = 0; i < nodes.size(); ++i)
    for (ValueId v : nodes[i].outputs)
      if (v != no_value) values[v].producer = i;
}

std::vector<uint32_t> Graph::use_counts() const {
  std::vector<uint32_t> counts(values.size());
  for (const Node& node : nodes) {
    if (node.dead) continue;
    for (ValueId v : node.inputs)
      if (v != no_value) ++counts[v];
  }
  for (ValueId v : outputs) ++counts[v];
  return counts;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& node : nodes)
    for (ValueId& v : node.inputs)
      if (v == from) v = to;
  for (ValueId& v : outputs)
    if (v == from) v = to;
}

void Graph::replace_uses(const std::vector<ValueId>& forward) {
  auto follow = [&](ValueId v) {
    while (v != no_value && v < forward.size() && forward[v] != v) v = forward[v];
    return v;
  };
  for (Node& node : nodes)
    for (ValueId& v : node.inputs) v = follow(v);
  for (ValueId& v : outputs) v = follow(v);
}

void Graph::resolve_dims() {
  for (Value& value : values) {
    for (Dim& d : value.type.shape) d = dims->resolve(d);
    if (value.content)
      for (Dim& d : *value.content) d = dims->resolve(d);
  }
  for (Node& node : nodes) {
    node.attrs.resolve(*dims);
    for (Graph& region : node.regions) region.resolve_dims();
  }
}

}  // namespace burnish
