#include <algorithm>
#include <numeric>
#include <optional>

#include "ir/op.h"
#include "passes/pass.h"
#include "passes/provenance.h"
#include "passes/reshape_node.h"
#include "passes/rewrite.h"

namespace burnish {

namespace {

/// Along one axis: elements start, start + step, …
struct Stride {
  int64_t start, step;
  bool operator==(const Stride&) const = default;
};

/// A part of a tensor: by axis the elements that slices leave of it.
struct Part {
  ValueId whole;
  std::vector<Stride> axes;
};

/// The view that slices (from the last to the first) make of the first one's operand, if that lies so; nullopt where it is not known.
std::optional<StridedView> view_of(Graph& g, const std::vector<const Node*>& slices, StridedView view) {
  for (size_t k = slices.size(); k-- > 0;) {
    std::vector<StridedView> out(1);
    ViewCtx ctx{g, *slices[k], *g.dims, g.values[slices[k]->inputs[0]].type.shape, view, out};
    if (!slices[k]->op->view(ctx)) return std::nullopt;
    view = out[0];
  }
  return view;
}

std::optional<Part> part_of(Graph& g, ValueId v) {
  std::vector<const Node*> slices;
  const Node* slice = g.producer(v);
  for (; slice && slice->op->name == "Slice"; slice = g.producer(v)) {
    slices.push_back(slice);
    v = slice->inputs[0];
  }
  if (slices.empty()) return std::nullopt;
  const size_t rank = g.values[v].type.shape.size();
  Part part{v, {}};
  for (size_t axis = 0; axis < rank; ++axis) {  // steps along this axis alone are counted
    StridedView unit{g.dims->constant(0), std::vector<Dim>(rank, g.dims->constant(0))};
    unit.strides[axis] = g.dims->constant(1);
    const auto view = view_of(g, slices, std::move(unit));
    const auto start = view ? g.dims->value(view->offset) : std::nullopt;
    const auto step = view ? g.dims->value(view->strides[axis]) : std::nullopt;
    if (!start || !step) return std::nullopt;
    part.axes.push_back({*start, *step});
  }
  return part;
}

/// Blocks of a tensor, of `steps` elements along its axes, whose elements parts number: those of `order` from the slowest axis on.
struct Blocks {
  ValueId whole;
  std::vector<int64_t> steps;
  std::vector<size_t> order;
};

/// The axes along which blocks have several elements, from the one whose start changes least often from part to part.
std::vector<size_t> order_of(const std::vector<Part>& parts) {
  std::vector<size_t> order;
  for (size_t axis = 0; axis < parts[0].axes.size(); ++axis)
    if (parts[0].axes[axis].step > 1) order.push_back(axis);
  const auto period = [&](size_t axis) {
    return std::ranges::find_if(parts, [&](const Part& part) { return part.axes[axis].start != 0; }) -
           parts.begin();
  };
  std::ranges::stable_sort(order, std::greater<>(), period);
  return order;
}

/// Whether part i begins at the element that i numbers.
bool are_numbered(const Blocks& blocks, const std::vector<Part>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    std::vector<Stride> at;
    for (int64_t step : blocks.steps) at.push_back({0, step});
    auto rest = static_cast<int64_t>(i);
    for (size_t k = blocks.order.size(); k-- > 0;) {
      Stride& along = at[blocks.order[k]];
      along.start = rest % along.step;
      rest /= along.step;
    }
    if (parts[i].whole != blocks.whole || parts[i].axes != at || rest != 0) return false;
  }
  return true;
}

/// What a concatenation of slices numbers, if they partition a tensor that consists of whole blocks.
std::optional<Blocks> blocks_of(Graph& g, const Node& concat) {
  std::vector<Part> parts;
  for (ValueId v : concat.inputs) {
    auto part = part_of(g, v);
    if (!part) return std::nullopt;
    parts.push_back(*std::move(part));
  }
  Blocks blocks{parts[0].whole, {}, order_of(parts)};
  const std::vector<Dim>&whole = g.values[blocks.whole].type.shape,
        &one = g.values[concat.inputs[0]].type.shape;
  int64_t count = 1;
  for (size_t axis = 0; axis < whole.size(); ++axis) {
    const int64_t step = parts[0].axes[axis].step;
    if (step < 1 || g.dims->mul(one[axis], g.dims->constant(step)) != whole[axis]) return std::nullopt;
    blocks.steps.push_back(step);
    count *= step;
  }
  if (count == 1 || count != std::ssize(parts) || !are_numbered(blocks, parts)) return std::nullopt;
  return blocks;
}

// Only of the last axis: where channels come first, a convolution reads what the concatenation can write in the order it likes.
Result<bool> rewrite(Graph& g, const std::vector<uint32_t>&, const Node& node, std::vector<Node>& out) {
  if (node.op->name != "Concat") return false;
  const std::vector<Dim> shape = g.values[node.outputs[0]].type.shape;
  const auto blocks =
      *node.attrs.find<int64_t>("axis") + 1 == std::ssize(shape) ? blocks_of(g, node) : std::nullopt;
  if (!blocks) return false;
  std::vector<Dim> apart;
  std::vector<int64_t> perm(shape.size()), within(shape.size());
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const Dim step = g.dims->constant(blocks->steps[axis]);
    perm[axis] = std::ssize(apart);
    apart.push_back(g.dims->floor_div(g.values[blocks->whole].type.shape[axis], step));
    within[axis] = std::ssize(apart);
    if (blocks->steps[axis] > 1) apart.push_back(step);
  }
  for (size_t axis : blocks->order) perm.insert(perm.end() - 1, within[axis]);
  Node transpose{.op = find_op("Transpose"),
                 .attrs = attrs_of("Transpose", {{"perm", perm}}),
                 .inputs = {TRY(append_reshape(g, out, blocks->whole, apart, node.provenance))},
                 .outputs = {g.add_value({})},
                 .provenance = node.provenance};
  TRY(infer(g, transpose));
  const ValueId moved = transpose.outputs[0];
  out.push_back(std::move(transpose));
  TRY(append_reshape(g, out, moved, shape, node.provenance, node.outputs[0]));
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) { return rewrite_lowered_graphs(graph, rewrite); }

}  // namespace

extern const Pass pass_recover_space_to_depth;
const Pass pass_recover_space_to_depth = {
    "recover_space_to_depth",
    "slices with steps that are put side by side become a transpose between reshapes, which are views", run};

}  // namespace burnish
