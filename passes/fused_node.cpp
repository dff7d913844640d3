#include "passes/fused_node.h"

#include <algorithm>
#include <array>
#include <map>

#include "ir/halves.h"
#include "passes/provenance.h"

namespace burnish {

namespace {

/// Writes a body node by node; what it reads from outside becomes its inputs.
class BodyWriter {
 public:
  explicit BodyWriter(Graph& graph) : graph_(graph) {
    body_.dims = graph.dims;
    body_.name = "body";
  }

  void add(Node part) {
    if (part.op->name == "Fused") add_body(std::move(part));
    else if (!is_pointwise(part) && half_of(graph_, part) && inside_.contains(part.inputs[0]))
      add_halves(part);
    else add_single(std::move(part));
  }

  Node finish(std::vector<ValueId> results) {
    for (ValueId v : results) body_.outputs.push_back(inside_.at(v));
    body_.index();
    Node node{.op = find_op("Fused"), .inputs = std::move(operands_), .outputs = std::move(results)};
    node.provenance = std::move(names_);
    node.regions.push_back(std::move(body_));
    return node;
  }

 private:
  void add_single(Node node) {
    for (ValueId& v : node.inputs) {
      if (v == no_value) continue;
      const bool fresh = !inside_.contains(v), number = is_number(graph_, v);
      if (fresh && number && reads_numbers_as_text(node))
        inside_[v] = body_.add_constant(*graph_.constant(v));
      if (!fresh && number && !is_pointwise(node)) inside_.erase(v);  // an anchor's operands are in memory
      v = operand(v);
    }
    for (ValueId& v : node.outputs) v = inside_[v] = body_.add_value(graph_.values[v].type);
    add_provenance(names_, node);
    body_.nodes.push_back(std::move(node));
  }

  /// The halves that `node` takes of columns that the body makes, as slices.
  void add_halves(const Node& node) {
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const Half half = *half_of(graph_, node, i);
      const TensorType& type = graph_.values[node.outputs[i]].type;
      const int64_t columns = *graph_.dims->value(type.shape[half.axis]), from = half.second ? columns : 0;
      Node slice{.op = find_op("Slice"), .inputs = {inside_.at(half.whole)}, .provenance = node.provenance};
      for (int64_t v : {from, from + columns, static_cast<int64_t>(half.axis)})
        slice.inputs.push_back(body_.add_constant(Tensor::of<int64_t>(DType::i64, {1}, std::array{v})));
      slice.outputs = {inside_[node.outputs[i]] = body_.add_value(type)};
      body_.nodes.push_back(std::move(slice));
    }
    add_provenance(names_, node);
  }

  void add_body(Node fused) {
    Graph& from = fused.regions[0];
    std::map<ValueId, ValueId> moved;
    for (size_t i = 0; i < from.inputs.size(); ++i) moved[from.inputs[i]] = operand(fused.inputs[i]);
    for (Node& node : from.nodes) {
      for (ValueId& v : node.inputs) {
        if (v == no_value) continue;
        if (!moved.contains(v)) moved[v] = body_.add_constant(*from.constant(v));
        v = moved[v];
      }
      for (ValueId& v : node.outputs) v = moved[v] = body_.add_value(from.values[v].type);
      body_.nodes.push_back(std::move(node));
    }
    for (size_t i = 0; i < from.outputs.size(); ++i) inside_[fused.outputs[i]] = moved.at(from.outputs[i]);
    add_provenance(names_, fused);
  }

  /// v of the graph, as the body knows it.
  ValueId operand(ValueId v) {
    const auto [it, fresh] = inside_.try_emplace(v, 0);
    if (fresh) {
      it->second = body_.add_value(graph_.values[v].type);
      body_.inputs.push_back(it->second);
      operands_.push_back(v);
    }
    return it->second;
  }

  Graph& graph_;
  Graph body_;
  std::map<ValueId, ValueId> inside_;  // values of the graph -> of the body
  std::vector<ValueId> operands_;
  std::vector<std::string> names_;
};

}  // namespace

Node fused_node(Graph& graph, std::span<Node* const> parts, std::vector<ValueId> results) {
  BodyWriter writer(graph);
  for (Node* part : parts) writer.add(std::move(*part));
  return writer.finish(std::move(results));
}

}  // namespace burnish
