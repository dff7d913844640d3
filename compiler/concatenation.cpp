#include <algorithm>

#include "compiler/lowering.h"

namespace burnish {

namespace {

// Its producer allocates v alone, and can be told where.
bool may_be_part(const Graph& graph, ValueId v) {
  const Node* node = graph.producer(v);
  return node && !graph.constant(v) && !node->op->view &&
         (node->regions.empty() || node->op->name == "Fused") &&
         std::find(graph.outputs.begin(), graph.outputs.end(), v) == graph.outputs.end();
}

/// What views make v of: where they change its axes alone, and none is read by others. Appends them to `views`, the last one first.
ValueId behind_views(const Scope& scope, ValueId v, std::vector<const Node*>& views) {
  for (const Node* node = scope.graph.producer(v); node && scope.sole_reader[v];
       node = scope.graph.producer(v)) {
    if (node->op->name != "Reshape" && node->op->name != "Transpose") break;
    views.push_back(node);
    v = node->inputs[0];
  }
  return v;
}

ValueId behind_views(const Scope& scope, ValueId v) {
  std::vector<const Node*> views;
  return behind_views(scope, v, views);
}

std::string why_not_in_place(const Scope& scope, ValueId v) {
  const Graph& graph = scope.graph;
  const std::string& named = graph.values[v].name;
  const std::string name = named.empty() ? "an operand" : "'" + named + "'";
  if (graph.constant(v)) return name + " is a constant";
  const Node* node = graph.producer(v);
  if (!node) return name + " is an input";
  const ValueId behind = behind_views(scope, v);
  if (node->op->view && !may_be_part(graph, behind)) return name + " is a view";
  if (!may_be_part(graph, behind)) return name + " is a result";
  const auto part = scope.parts.find(behind);
  if (part == scope.parts.end()) return name + " cannot be written with gaps";
  return name + (part->second.in_place ? " is in another place already" : " is made on the host");
}

}  // namespace

void Lowering::survey(Scope& scope) {
  const std::vector<uint32_t> uses = scope.graph.use_counts();
  scope.sole_reader.assign(scope.graph.values.size(), nullptr);
  for (const Node& node : scope.graph.nodes)
    for (ValueId v : node.inputs)
      if (!node.dead && v != no_value && uses[v] == 1) scope.sole_reader[v] = &node;
  if (!options_.backend) return;
  find_for_windows(scope);
  for (const Node& node : scope.graph.nodes) {
    if (node.dead || node.op->name != "Concat") continue;
    const auto axis = static_cast<size_t>(*node.attrs.find<int64_t>("axis"));
    Dim from = dims_.constant(0);
    for (ValueId v : node.inputs) {
      survey_part(scope, v, {node.outputs[0], axis, from});
      from = dims_.add(from, scope.graph.values[v].type.shape[axis]);
    }
  }
}

void Lowering::survey_part(Scope& scope, ValueId v, Part part) {
  v = behind_views(scope, v, part.views);
  std::ranges::reverse(part.views);
  if (may_be_part(scope.graph, v)) scope.parts.try_emplace(v, std::move(part));
}

std::optional<StridedView> Lowering::before_views(const Scope& scope, const Part& part, StridedView window) {
  for (size_t k = part.views.size(); k-- > 0;) {
    const Node& node = *part.views[k];
    std::vector<StridedView> before{window};
    if (const auto* perm = node.attrs.find<std::vector<int64_t>>("perm")) {
      for (size_t axis = 0; axis < perm->size(); ++axis)
        before[0].strides[static_cast<size_t>((*perm)[axis])] = window.strides[axis];
    } else {
      const Node back{
          .op = node.op, .attrs = node.attrs, .inputs = node.outputs, .outputs = {node.inputs[0]}};
      ViewCtx ctx{scope.graph, back, dims_, scope.graph.values[node.outputs[0]].type.shape, window, before};
      if (!back.op->view(ctx)) return std::nullopt;
    }
    window = before[0];
  }
  return window;
}

std::optional<Placed> Lowering::allocate_part(Scope& scope, ValueId v, std::span<const int> order) {
  const auto found = scope.parts.find(v);
  if (found == scope.parts.end()) return std::nullopt;
  const Part part = found->second;
  const bool viewed = !part.views.empty();
  if (viewed && scope.for_windows[part.whole]) return std::nullopt;  // in an order that views do not know
  auto whole = scope.wholes.find(part.whole);
  if (whole == scope.wholes.end()) {
    for (Dim d : scope.graph.values[part.whole].type.shape)
      for (Dim symbol : dims_.symbols(d))
        if (!program_.declared(symbol)) return std::nullopt;  // its size is known later
    const std::span<const int> whole_order = viewed ? std::span<const int>() : order;
    whole = scope.wholes.emplace(part.whole, allocate(scope, part.whole, Space::device, whole_order)).first;
    scope.at(Space::device, part.whole).reset();  // nobody may read it yet
  }
  Placed placed = whole->second;
  placed.view.offset = dims_.add(placed.view.offset, dims_.mul(part.from, placed.view.strides[part.axis]));
  if (viewed) {
    const auto view = before_views(scope, part, placed.view);
    if (!view || !lies_in_order({placed.buffer, *view}, scope.graph.values[v].type.shape, order)) {
      scope.parts.erase(found);
      return std::nullopt;
    }
    placed.view = *view;
  }
  found->second.in_place = true;
  return placed;
}

bool Lowering::leave_whole(Scope& scope, const Node& node) {
  size_t left = 0;
  for (ValueId v : node.outputs) left += scope.parts.erase(v);
  return left > 0;
}

// Operands [first, end) as a concatenation of their own, into their slice of the whole.
Result<> Lowering::copy_parts(Scope& scope, const Node& node, size_t first, size_t end, const Placed& whole) {
  const auto axis = static_cast<size_t>(*node.attrs.find<int64_t>("axis"));
  Placed slice = whole;
  Graph scratch;
  scratch.dims = scope.graph.dims;
  Node some{.op = node.op, .attrs = node.attrs, .provenance = node.provenance};
  TensorType type = scope.graph.values[node.outputs[0]].type;
  type.shape[axis] = dims_.constant(0);
  std::vector<std::optional<Placed>> in;
  for (size_t i = 0; i < end; ++i) {
    const TensorType& part = scope.graph.values[node.inputs[i]].type;
    const Dim extent = part.shape[axis];
    if (i < first) {
      slice.view.offset = dims_.add(slice.view.offset, dims_.mul(extent, whole.view.strides[axis]));
      continue;
    }
    type.shape[axis] = dims_.add(type.shape[axis], extent);
    in.emplace_back(TRY(place(scope, node.inputs[i], Space::device)));
    some.inputs.push_back(scratch.add_value(part));
  }
  some.outputs = {scratch.add_value(std::move(type))};
  std::string why;
  for (size_t i = first; i < end; ++i)
    why += (why.empty() ? "" : "; ") + why_not_in_place(scope, node.inputs[i]);
  note_move(describe(node), why);
  Scope inner(scratch, &scope);
  DeviceOperands operands(*this, inner, some, std::move(in), {slice});
  if (Verdict v = options_.backend->describe(operands); !v)
    return Error(Code::internal, "copy into a concatenation refused: " + v.reason());
  return add_calls(inner, operands, name_of(node));
}

Result<bool> Lowering::lower_concatenation(Scope& scope, const Node& node) {
  if (node.op->name != "Concat") return false;
  const auto found = scope.wholes.find(node.outputs[0]);
  if (found == scope.wholes.end()) return false;
  const Placed whole = found->second;
  const auto axis = static_cast<size_t>(*node.attrs.find<int64_t>("axis"));
  Dim from = dims_.constant(0);
  size_t first = 0;  // of those to be copied
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const auto part = scope.parts.find(behind_views(scope, node.inputs[i]));
    if (part != scope.parts.end() && part->second.in_place && part->second.whole == node.outputs[0] &&
        part->second.from == from) {
      if (first < i) TRY(copy_parts(scope, node, first, i, whole));
      first = i + 1;
    }
    from = dims_.add(from, scope.graph.values[node.inputs[i]].type.shape[axis]);
  }
  if (first < node.inputs.size()) TRY(copy_parts(scope, node, first, node.inputs.size(), whole));
  scope.at(Space::device, node.outputs[0]) = whole;
  return true;
}

}  // namespace burnish
