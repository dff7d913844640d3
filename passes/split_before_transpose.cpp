#include <optional>

#include "passes/pass.h"
#include "passes/reshape_node.h"

namespace burnish {

namespace {

/// For each axis of `in` the extents of `out` that it is split into; nullopt if axes are joined, or none is split.
std::optional<std::vector<std::vector<Dim>>> splits(DimTable& dims, const std::vector<Dim>& in,
                                                    const std::vector<Dim>& out) {
  std::vector<std::vector<Dim>> parts;
  size_t k = 0;
  for (Dim extent : in) {
    std::vector<Dim>& part = parts.emplace_back();
    Dim product = dims.constant(1);
    while (k < out.size() && (part.empty() || product != extent)) {
      product = dims.mul(product, out[k]);
      part.push_back(out[k++]);
    }
    if (part.empty() || product != extent) return std::nullopt;
  }
  if (k != out.size() || out.size() == in.size()) return std::nullopt;
  return parts;
}

// Reshape(Transpose(Reshape(x))), or without the first one: what the last one splits, the first one can split.
Result<bool> rewrite(Graph& g, const Node& node, std::vector<Node>& out) {
  const Node* transpose = node.op->name == "Reshape" ? g.producer(node.inputs[0]) : nullptr;
  if (!transpose || transpose->op->name != "Transpose") return false;
  const auto parts =
      splits(*g.dims, g.values[node.inputs[0]].type.shape, g.values[node.outputs[0]].type.shape);
  if (!parts) return false;
  const std::vector<int64_t> perm = *transpose->attrs.find<std::vector<int64_t>>("perm");
  ValueId x = transpose->inputs[0];
  std::vector<const std::vector<Dim>*> before(perm.size());  // by axis of x
  for (size_t k = 0; k < perm.size(); ++k) before[static_cast<size_t>(perm[k])] = &(*parts)[k];
  std::vector<Dim> shape;
  std::vector<int64_t> first;  // of each axis's parts in `shape`
  for (const std::vector<Dim>* part : before) {
    first.push_back(std::ssize(shape));
    shape.insert(shape.end(), part->begin(), part->end());
  }
  std::vector<int64_t> split_perm;
  for (int64_t axis : perm)
    for (size_t k = 0; k < before[static_cast<size_t>(axis)]->size(); ++k)
      split_perm.push_back(first[static_cast<size_t>(axis)] + static_cast<int64_t>(k));
  if (const Node* joins = g.producer(x); joins && joins->op->name == "Reshape") x = joins->inputs[0];
  const ValueId split = TRY(append_reshape(g, out, x, std::move(shape), node.provenance));
  Node last{.op = find_op("Transpose"),
            .attrs = attrs_of("Transpose", {{"perm", split_perm}}),
            .inputs = {split},
            .outputs = node.outputs,
            .provenance = node.provenance};
  TRY(infer(g, last));
  out.push_back(std::move(last));
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_lowered_graph(graph, [](Graph& g) -> Result<bool> {
    bool changed = false;
    std::vector<Node> nodes;
    for (const Node& node : g.nodes) {  // producers are looked up in it: nothing moves
      if (node.dead) continue;
      if (TRY(rewrite(g, node, nodes))) changed = true;
      else nodes.push_back(node);
    }
    if (!changed) return false;
    g.nodes = std::move(nodes);
    g.index();
    return true;
  });
}

}  // namespace

extern const Pass pass_split_before_transpose;
const Pass pass_split_before_transpose = {
    "split_before_transpose", "splits axes before they are transposed, so that both are views", run};

}  // namespace burnish
