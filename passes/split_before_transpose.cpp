#include <optional>

#include "passes/pass.h"
#include "passes/reshape_node.h"
#include "passes/rewrite.h"
#include "passes/split_axes.h"

namespace burnish {

namespace {

/// For each axis of `in` the extents of `out` that it is split into; nullopt if axes are joined, or none is split.
std::optional<std::vector<std::vector<Dim>>> splits(DimTable& dims, const std::vector<Dim>& in,
                                                    const std::vector<Dim>& out) {
  return out.size() > in.size() ? split_axes(dims, in, out) : std::nullopt;
}

/// A transpose of axes that are split into `parts`, by axis of its operand, before it.
Node transpose_parts(const std::vector<int64_t>& perm, const std::vector<std::vector<Dim>>& parts) {
  std::vector<int64_t> first;  // of each axis's parts
  int64_t count = 0;
  for (const std::vector<Dim>& part : parts) {
    first.push_back(count);
    count += std::ssize(part);
  }
  std::vector<int64_t> split_perm;
  for (int64_t axis : perm)
    for (int64_t k = 0; k < std::ssize(parts[static_cast<size_t>(axis)]); ++k)
      split_perm.push_back(first[static_cast<size_t>(axis)] + k);
  return {.op = find_op("Transpose"), .attrs = attrs_of("Transpose", {{"perm", split_perm}})};
}

// Reshape(Transpose(Reshape(x))), or without the first one: what the last one splits, the first one can split.
Result<bool> split_first(Graph& g, const Node& node, const Node& transpose, std::vector<Node>& out) {
  const auto split =
      splits(*g.dims, g.values[node.inputs[0]].type.shape, g.values[node.outputs[0]].type.shape);
  if (!split) return false;
  const std::vector<int64_t> perm = *transpose.attrs.find<std::vector<int64_t>>("perm");
  ValueId x = transpose.inputs[0];
  std::vector<std::vector<Dim>> parts(perm.size());
  for (size_t k = 0; k < perm.size(); ++k) parts[static_cast<size_t>(perm[k])] = (*split)[k];
  std::vector<Dim> shape;
  for (const std::vector<Dim>& part : parts) shape.insert(shape.end(), part.begin(), part.end());
  if (const Node* joins = g.producer(x); joins && joins->op->name == "Reshape") x = joins->inputs[0];
  Node last = transpose_parts(perm, parts);
  last.inputs = {TRY(append_reshape(g, out, x, std::move(shape), node.provenance))};
  last.outputs = node.outputs;
  last.provenance = node.provenance;
  TRY(infer(g, last));
  out.push_back(std::move(last));
  return true;
}

// Reshape(Transpose(Reshape(x))): what the first one joins can be transposed apart, for the last one to join.
Result<bool> join_last(Graph& g, const Node& node, const Node& transpose, std::vector<Node>& out) {
  const Node* joins = g.producer(transpose.inputs[0]);
  if (!joins || joins->op->name != "Reshape") return false;
  const auto parts =
      splits(*g.dims, g.values[joins->outputs[0]].type.shape, g.values[joins->inputs[0]].type.shape);
  if (!parts) return false;
  Node apart = transpose_parts(*transpose.attrs.find<std::vector<int64_t>>("perm"), *parts);
  apart.inputs = {joins->inputs[0]};
  apart.outputs = {g.add_value({})};
  apart.provenance = transpose.provenance;
  TRY(infer(g, apart));
  Node last = node;
  last.inputs[0] = apart.outputs[0];
  TRY(infer(g, last));
  out.push_back(std::move(apart));
  out.push_back(std::move(last));
  return true;
}

Result<bool> rewrite(Graph& g, const std::vector<uint32_t>&, const Node& node, std::vector<Node>& out) {
  const Node* transpose = node.op->name == "Reshape" ? g.producer(node.inputs[0]) : nullptr;
  if (!transpose || transpose->op->name != "Transpose") return false;
  return TRY(split_first(g, node, *transpose, out)) || TRY(join_last(g, node, *transpose, out));
}

Result<bool> run(Graph& graph, const PassContext&) { return rewrite_lowered_graphs(graph, rewrite); }

}  // namespace

extern const Pass pass_split_before_transpose;
const Pass pass_split_before_transpose = {
    "split_before_transpose",
    "splits axes before they are transposed and joins them after, so that all are views", run};

}  // namespace burnish
