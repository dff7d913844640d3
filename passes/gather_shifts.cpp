#include <algorithm>
#include <numeric>
#include <optional>

#include "ir/kernel.h"
#include "passes/pass.h"
#include "passes/reshape_node.h"
#include "passes/rewrite.h"

namespace burnish {

namespace {

/// A value that consists of slices of `x` along one axis, in some order.
struct Pick {
  ValueId x;
  size_t axis;
  std::vector<int64_t> indices;
};

/// Where slice v of a dense x begins along `axis`; nullopt if it is not known, or other axes are cut or reversed as well.
std::optional<int64_t> slice_start(Graph& g, const Node& slice, ValueId v, size_t axis) {
  DimTable& dims = *g.dims;
  const std::vector<Dim>&whole = g.values[slice.inputs[0]].type.shape, &part = g.values[v].type.shape;
  for (size_t a = 0; a < whole.size(); ++a)
    if (a != axis && whole[a] != part[a]) return std::nullopt;
  const StridedView dense{dims.constant(0), dense_strides(dims, whole)};
  std::vector<StridedView> views(slice.outputs.size());
  ViewCtx ctx{g, slice, dims, whole, dense, views};
  if (!slice.op->view(ctx)) return std::nullopt;
  const StridedView& view = views[static_cast<size_t>(
      std::find(slice.outputs.begin(), slice.outputs.end(), v) - slice.outputs.begin())];
  const auto offset = dims.value(view.offset), stride = dims.value(dense.strides[axis]);
  if (view.strides != dense.strides || !offset || !stride || *offset % *stride != 0) return std::nullopt;
  return *offset / *stride;
}

std::optional<Pick> pick_of(Graph& g, ValueId v) {
  const Node* concat = g.producer(v);
  if (!concat || concat->op->name != "Concat") return std::nullopt;
  Pick pick{no_value, static_cast<size_t>(*concat->attrs.find<int64_t>("axis")), {}};
  for (ValueId part : concat->inputs) {
    const Node* slice = g.producer(part);
    if (!slice || (slice->op->name != "Slice" && slice->op->name != "Split")) return std::nullopt;
    if (pick.x == no_value) pick.x = slice->inputs[0];
    const auto extent = g.dims->value(g.values[part].type.shape[pick.axis]);
    const auto start = slice_start(g, *slice, part, pick.axis);
    if (slice->inputs[0] != pick.x || !extent || !start) return std::nullopt;
    for (int64_t i = 0; i < *extent; ++i) pick.indices.push_back(*start + i);
  }
  return pick;
}

Tensor indices_of(std::vector<int64_t> values, Shape shape) {
  return Tensor::of<int64_t>(DType::i64, std::move(shape), values);
}

Result<> append_gather(Graph& g, std::vector<Node>& out, ValueId x, Tensor indices, int64_t axis,
                       const Node& in_place_of) {
  Node gather{.op = find_op("Gather"),
              .attrs = attrs_of("Gather", {{"axis", axis}}),
              .inputs = {x, g.add_constant(std::move(indices))},
              .outputs = in_place_of.outputs,
              .provenance = in_place_of.provenance};
  TRY(infer(g, gather));
  out.push_back(std::move(gather));
  return {};
}

// Slices put together along one axis of slices that were put together along its neighbour: one table for both axes.
Result<bool> gather_both(Graph& g, const Node& node, std::vector<Node>& out) {
  if (node.op->name != "Concat") return false;
  const auto outer = pick_of(g, node.outputs[0]);
  const auto inner = outer ? pick_of(g, outer->x) : std::nullopt;
  if (!inner || std::max(outer->axis, inner->axis) - std::min(outer->axis, inner->axis) != 1) return false;
  const auto& [rows, columns] =
      outer->axis < inner->axis ? std::pair(*outer, *inner) : std::pair(*inner, *outer);
  std::vector<Dim> shape = g.values[inner->x].type.shape;
  const auto row_extent = g.dims->value(shape[rows.axis]), width = g.dims->value(shape[columns.axis]);
  if (!row_extent || !width) return false;
  shape[rows.axis] = g.dims->constant(*row_extent * *width);
  shape.erase(shape.begin() + static_cast<int64_t>(columns.axis));
  std::vector<int64_t> table;
  for (int64_t row : rows.indices)
    for (int64_t column : columns.indices) table.push_back(row * *width + column);
  const ValueId joined = TRY(append_reshape(g, out, inner->x, std::move(shape), node.provenance));
  TRY(append_gather(g, out, joined,
                    indices_of(std::move(table), {std::ssize(rows.indices), std::ssize(columns.indices)}),
                    static_cast<int64_t>(rows.axis), node));
  return true;
}

/// A gather by a table that only its layout's reader reads.
struct Gathered {
  const Node* gather;
  const Tensor* table;
  size_t axis, before_last;  // the table's axes in the result: [axis, before_last)
};

std::optional<Gathered> gathered(const Graph& g, const std::vector<uint32_t>& uses, ValueId v) {
  const Node* gather = uses[v] == 1 ? g.producer(v) : nullptr;
  if (!gather || gather->op->name != "Gather") return std::nullopt;
  const Tensor* table = g.constant(gather->inputs[1]);
  if (!table || table->dtype() != DType::i64 || table->shape().size() < 2) return std::nullopt;
  const auto axis = static_cast<size_t>(*gather->attrs.find<int64_t>("axis"));
  return Gathered{gather, table, axis, axis + table->shape().size()};
}

std::vector<int64_t> elements(const Tensor& table) {
  return {table.data<int64_t>(), table.data<int64_t>() + table.count()};
}

// Reshape(Gather(x)) that changes the table's axes alone.
Result<bool> reshape_table(Graph& g, const std::vector<uint32_t>& uses, const Node& node,
                           std::vector<Node>& out) {
  const auto from = gathered(g, uses, node.inputs[0]);
  if (!from) return false;
  const std::vector<Dim>&before = g.values[node.inputs[0]].type.shape,
        &after = g.values[node.outputs[0]].type.shape;
  const size_t behind = before.size() - from->before_last;
  if (after.size() <= from->axis + behind ||
      !std::equal(before.begin(), before.begin() + static_cast<int64_t>(from->axis), after.begin()) ||
      !std::equal(before.rbegin(), before.rbegin() + static_cast<int64_t>(behind), after.rbegin()))
    return false;
  Shape shape;
  for (size_t a = from->axis; a < after.size() - behind; ++a) {
    const auto extent = g.dims->value(after[a]);
    if (!extent) return false;
    shape.push_back(*extent);
  }
  TRY(append_gather(g, out, from->gather->inputs[0], indices_of(elements(*from->table), std::move(shape)),
                    static_cast<int64_t>(from->axis), node));
  return true;
}

// Transpose(Gather(x)) that moves the table's axes alone.
Result<bool> transpose_table(Graph& g, const std::vector<uint32_t>& uses, const Node& node,
                             std::vector<Node>& out) {
  const auto from = gathered(g, uses, node.inputs[0]);
  if (!from) return false;
  const std::vector<int64_t> perm = *node.attrs.find<std::vector<int64_t>>("perm");
  for (size_t a = 0; a < perm.size(); ++a)
    if ((a < from->axis || a >= from->before_last) && perm[a] != static_cast<int64_t>(a)) return false;
  const Shape& shape = from->table->shape();
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t a = shape.size() - 1; a-- > 0;) strides[a] = strides[a + 1] * shape[a + 1];
  Shape moved;
  std::vector<int64_t> offsets{0};
  for (size_t k = 0; k < shape.size(); ++k) {
    const auto axis = static_cast<size_t>(perm[from->axis + k]) - from->axis;
    moved.push_back(shape[axis]);
    std::vector<int64_t> longer;
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < shape[axis]; ++i) longer.push_back(offset + i * strides[axis]);
    offsets = std::move(longer);
  }
  for (int64_t& offset : offsets) offset = from->table->data<int64_t>()[offset];
  TRY(append_gather(g, out, from->gather->inputs[0], indices_of(std::move(offsets), std::move(moved)),
                    static_cast<int64_t>(from->axis), node));
  return true;
}

Result<bool> rewrite(Graph& g, const std::vector<uint32_t>& uses, const Node& node, std::vector<Node>& out) {
  if (node.op->name == "Reshape") return reshape_table(g, uses, node, out);
  if (node.op->name == "Transpose") return transpose_table(g, uses, node, out);
  return gather_both(g, node, out);
}

Result<bool> run(Graph& graph, const PassContext&) { return rewrite_lowered_graphs(graph, rewrite); }

}  // namespace

extern const Pass pass_gather_shifts;
const Pass pass_gather_shifts = {
    "gather_shifts",
    "a cyclic shift of two axes, and what moves its rows after it, becomes one gather by a table", run};

}  // namespace burnish
