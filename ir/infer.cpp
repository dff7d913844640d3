#include "ir/infer.h"

#include <algorithm>

#include "ir/element.h"
#include "ir/origin.h"

namespace burnish {

const OpDef* find_op(std::string_view name) {
  for (const OpDef* op : all_ops())
    if (op->name == name) return op;
  return nullptr;
}

std::string describe(const Node& node) {
  const std::string name = node.provenance.empty() ? "" : node.provenance.front();
  return "node '" + name + "' (" + std::string(node.op->name) + ")";
}

Result<std::vector<Dim>> InferCtx::content_or_symbols(size_t i, Range range) {
  if (const auto* known = content(i)) return *known;
  const TensorType& type = in(i);
  if (type.dtype != DType::i64 && type.dtype != DType::i32)
    return error("operand " + std::to_string(i) + " must be int64 or int32");
  const auto count = type.shape.empty() ? std::optional<int64_t>(1) : dims.value(type.shape[0]);
  if (type.shape.size() > 1 || !count)
    return error("operand " + std::to_string(i) + " has an unknown element count");
  std::vector<Dim> all;
  for (uint32_t k = 0; k < *count; ++k)
    all.push_back(dims.resolve(symbol_of(graph, {SymbolOrigin::Kind::content, node.inputs[i], k}, range)));
  return all;
}

Result<std::vector<int64_t>> InferCtx::constant_content(size_t i, std::string_view what) {
  const auto* known = content(i);
  std::vector<int64_t> all;
  for (size_t k = 0; known && k < known->size(); ++k)
    if (auto v = dims.value((*known)[k])) all.push_back(*v);
  if (!known || all.size() != known->size())
    return Error(Code::unsupported,
                 describe(node) + ": " + std::string(what) + " must be known when the engine is built")
        .remedy("make it a constant in the model, or fix the extents it is computed from with --shapes");
  return all;
}

void InferCtx::out(size_t i, TensorType type) {
  if (i >= node.outputs.size() || node.outputs[i] == no_value) return;
  graph.values[node.outputs[i]].type = std::move(type);
}

void InferCtx::out_content(size_t i, std::vector<Dim> content) {
  if (i >= node.outputs.size() || node.outputs[i] == no_value || content.size() > 4096) return;
  graph.values[node.outputs[i]].content = std::move(content);
}

Dim InferCtx::extent_symbol(size_t output, uint32_t axis, Range range) {
  if (output >= node.outputs.size() || node.outputs[output] == no_value)
    return dims.fresh_symbol("unused", range);
  return dims.resolve(symbol_of(graph, {SymbolOrigin::Kind::extent, node.outputs[output], axis}, range));
}

Result<> InferCtx::unify(Dim a, Dim b, std::string_view what) {
  return dims.unify(a, b, describe(node) + ": " + std::string(what));
}

Result<int64_t> InferCtx::axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank)
    return error("axis " + std::to_string(axis) + " is outside a tensor of rank " + std::to_string(rank));
  return axis < 0 ? axis + rank : axis;
}

Result<> InferCtx::expect_inputs(size_t least, size_t most) const {
  const size_t count = node.inputs.size();
  bool present = count >= least && count <= most;
  for (size_t i = 0; present && i < least; ++i) present = node.inputs[i] != no_value;
  if (present) return {};
  return error(
      "takes " +
      (least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most)) +
      " inputs, got " + std::to_string(count));
}

Result<std::vector<Dim>> InferCtx::broadcast(const std::vector<Dim>& a, const std::vector<Dim>& b) {
  std::vector<Dim> out(std::max(a.size(), b.size()));
  for (size_t k = 0; k < out.size(); ++k) {  // from the last axis
    const size_t at = out.size() - 1 - k;
    if (k >= a.size() || k >= b.size()) {
      out[at] = k >= a.size() ? b[b.size() - 1 - k] : a[a.size() - 1 - k];
      continue;
    }
    const Dim x = a[a.size() - 1 - k], y = b[b.size() - 1 - k];
    const auto u = dims.value(x), v = dims.value(y);
    if (u && v && *u != *v && *u != 1 && *v != 1)
      return error("shapes " + dims.text(a) + " and " + dims.text(b) + " do not broadcast: axis " +
                   std::to_string(at) + " has " + std::to_string(*u) + " and " + std::to_string(*v));
    out[at] = dims.broadcast(x, y);
    for (Dim d : {x, y})  // checked at run time: each is 1 or the extent of the result
      TRY(unify(dims.select(dims.equal(d, dims.constant(1)), out[at], d), out[at],
                "shapes " + dims.text(a) + " and " + dims.text(b) + " must broadcast"));
  }
  return out;
}

Error InferCtx::error(std::string what) const {
  return Error(Code::invalid_model, describe(node) + ": " + std::move(what));
}

Error EvalCtx::error(std::string what) const {
  return Error(Code::invalid_argument, describe(node) + ": " + std::move(what));
}

ValueId ImportCtx::constant_integers(std::vector<int64_t> values, bool scalar) {
  Shape shape;
  if (!scalar) shape.push_back(static_cast<int64_t>(values.size()));
  return constant(Tensor::of<int64_t>(DType::i64, std::move(shape), values));
}

ValueId ImportCtx::constant_real(float value, DType dtype) {
  Tensor tensor = Tensor::zeros(dtype, {});
  visit_storage(dtype, [&]<class T>(T*) {
    T* at = reinterpret_cast<T*>(tensor.writable());
    if constexpr (std::is_same_v<T, half>) *at = to_half(value);
    else if constexpr (std::is_same_v<T, bfloat16>) *at = to_bfloat16(value);
    else *at = static_cast<T>(value);
  });
  return constant(std::move(tensor));
}

std::vector<Dim> dense_strides(DimTable& dims, std::span<const Dim> shape) {
  std::vector<Dim> strides(shape.size());
  Dim stride = dims.constant(1);
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride = dims.mul(stride, shape[i]);
  }
  return strides;
}

Result<> infer(Graph& graph, Node& node) {
  if (!node.op->infer) return Error(Code::internal, describe(node) + ": the op has no type inference");
  for (ValueId v : node.inputs) {
    if (v == no_value) continue;
    Value& value = graph.values[v];
    for (Dim& d : value.type.shape) d = graph.dims->resolve(d);
    if (value.content)
      for (Dim& d : *value.content) d = graph.dims->resolve(d);
  }
  node.attrs.resolve(*graph.dims);
  InferCtx ctx(graph, node);
  return node.op->infer(ctx);
}

Result<> infer(Graph& graph) {
  for (Node& node : graph.nodes)
    if (!node.dead) TRY(infer(graph, node));
  graph.resolve_dims();
  return {};
}

}  // namespace burnish
