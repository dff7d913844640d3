#include "ops/layer_normalization/layer_normalization.h"
#include "passes/pass.h"
#include "passes/reshape_node.h"
#include "passes/rewrite.h"
#include "passes/split_axes.h"

namespace burnish {

namespace {

// Whether the last axis alone is normalised, and nothing else wanted of it.
bool normalizes_rows(const Graph& g, const Node& node) {
  return (node.op->name == "LayerNormalization" || node.op->name == "RMSNormalization") &&
         node.outputs.size() == 1 && node.inputs.size() < 4 &&
         node.attrs.as<LayerNormalizationAttrs>().axis + 1 == std::ssize(g.values[node.inputs[0]].type.shape);
}

// A normalisation of Reshape(Transpose(x)) whose rows are several axes of that: these are normalised, and its result reshaped.
Result<bool> rewrite(Graph& g, const std::vector<uint32_t>&, const Node& node, std::vector<Node>& out) {
  if (!normalizes_rows(g, node)) return false;
  const Node* reshape = g.producer(node.inputs[0]);
  const Node* transpose =
      reshape && reshape->op->name == "Reshape" ? g.producer(reshape->inputs[0]) : nullptr;
  if (!transpose || transpose->op->name != "Transpose") return false;
  const std::vector<Dim> apart = g.values[reshape->inputs[0]].type.shape,
                         joined = g.values[node.inputs[0]].type.shape;
  const auto split = split_axes(*g.dims, joined, apart);
  if (!split || split->back().size() < 2) return false;
  const std::vector<Dim>& row = split->back();
  Node normalize = node;
  normalize.inputs[0] = reshape->inputs[0];
  for (size_t i = 1; i < node.inputs.size(); ++i)
    if (node.inputs[i] != no_value && g.values[node.inputs[i]].type.shape == std::vector{joined.back()})
      normalize.inputs[i] = TRY(append_reshape(g, out, node.inputs[i], row, node.provenance));
  auto attrs = node.attrs.as<LayerNormalizationAttrs>();
  attrs.axis = std::ssize(apart) - std::ssize(row);
  normalize.attrs = attrs;
  normalize.outputs = {g.add_value({})};
  TRY(infer(g, normalize));
  const ValueId normalized = normalize.outputs[0];
  out.push_back(std::move(normalize));
  TRY(append_reshape(g, out, normalized, joined, node.provenance, node.outputs[0]));
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) { return rewrite_lowered_graphs(graph, rewrite); }

}  // namespace

extern const Pass pass_normalize_before_joining;
const Pass pass_normalize_before_joining = {
    "normalize_before_joining",
    "rows that a reshape joins of transposed axes are normalised over these, as they lie", run};

}  // namespace burnish
