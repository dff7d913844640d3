#include <algorithm>

#include "ops/layer_normalization/layer_normalization.h"
#include "passes/pass.h"
#include "passes/provenance.h"
#include "passes/reshape_node.h"
#include "passes/rewrite.h"

namespace burnish {

namespace {

// Indices from 0 on, of rows along an axis of that extent; no strides could say which.
bool is_table(const Graph& g, ValueId v, Dim extent) {
  const Tensor* table = g.constant(v);
  const auto rows = g.dims->value(extent);
  if (!table || table->dtype() != DType::i64 || table->shape().size() < 2 || !rows) return false;
  const std::span indices(table->data<int64_t>(), static_cast<size_t>(table->count()));
  return std::ranges::all_of(indices, [&](int64_t i) { return i >= 0 && i < *rows; });
}

// Whether the last axis alone is normalised, and nothing else wanted of it.
bool normalizes_rows(const Graph& g, const Node& node) {
  return node.op->name == "LayerNormalization" && node.outputs.size() == 1 && node.inputs.size() < 4 &&
         node.attrs.as<LayerNormalizationAttrs>().axis + 1 == std::ssize(g.values[node.inputs[0]].type.shape);
}

// Gather(LayerNormalization(x)) of rows, also with a reshape between them that leaves rows whole: the rows are normalised that are
// picked.
Result<bool> rewrite(Graph& g, const std::vector<uint32_t>& uses, const Node& node, std::vector<Node>& out) {
  if (node.op->name != "Gather") return false;
  const std::vector<Dim> shape = g.values[node.inputs[0]].type.shape;
  const int64_t axis = *node.attrs.find<int64_t>("axis");
  if (axis + 2 != std::ssize(shape) || !is_table(g, node.inputs[1], shape[static_cast<size_t>(axis)]))
    return false;
  ValueId rows = node.inputs[0];
  const Node* maker = uses[rows] == 1 ? g.producer(rows) : nullptr;
  if (maker && maker->op->name == "Reshape") {
    rows = maker->inputs[0];
    maker = uses[rows] == 1 ? g.producer(rows) : nullptr;
  }
  if (!maker || !normalizes_rows(g, *maker) || g.values[rows].type.shape.back() != shape.back()) return false;
  Node picking = *maker;
  if (rows != node.inputs[0])
    picking.inputs[0] = TRY(append_reshape(g, out, maker->inputs[0], shape, maker->provenance));
  picking.inputs.resize(3, no_value);
  picking.inputs.push_back(node.inputs[1]);
  auto attrs = maker->attrs.as<LayerNormalizationAttrs>();
  attrs.axis = axis + 1;
  picking.attrs = attrs;
  picking.outputs = node.outputs;
  add_provenance(picking.provenance, node);
  TRY(infer(g, picking));
  out.push_back(std::move(picking));
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) { return rewrite_lowered_graphs(graph, rewrite); }

}  // namespace

extern const Pass pass_pick_before_normalization;
const Pass pass_pick_before_normalization = {
    "pick_before_normalization", "rows that a table picks of a normalisation are picked by it, as it reads",
    run};

}  // namespace burnish
