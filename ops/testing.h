#pragma once

#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/strided.h"
#include "ir/evaluate.h"
#include "ir/infer.h"
#include "ops/emit.h"

/// Helpers for the tests of ops: run an op on tensors, or infer it on symbolic types.
namespace burnish::testing {

using NamedAttributes = std::vector<NamedAttribute>;

template <class T>
constexpr DType dtype_for() {
  if constexpr (std::is_same_v<T, float>) return DType::f32;
  else if constexpr (std::is_same_v<T, double>) return DType::f64;
  else if constexpr (std::is_same_v<T, int8_t>) return DType::i8;
  else if constexpr (std::is_same_v<T, int16_t>) return DType::i16;
  else if constexpr (std::is_same_v<T, int32_t>) return DType::i32;
  else if constexpr (std::is_same_v<T, int64_t>) return DType::i64;
  else if constexpr (std::is_same_v<T, uint8_t>) return DType::u8;
  else {
    static_assert(std::is_same_v<T, bool>, "element type without a spelling here");
    return DType::boolean;
  }
}

/// tensor<float>({2, 2}, {1, 2, 3, 4})
template <class T>
Tensor tensor(Shape shape, const std::vector<T>& values) {
  Tensor t = Tensor::zeros(dtype_for<T>(), std::move(shape));
  for (size_t i = 0; i < values.size(); ++i) reinterpret_cast<T*>(t.writable())[i] = values[i];
  return t;
}
/// A vector of int64: shapes, axes, ….
inline Tensor ints(const std::vector<int64_t>& values) {
  return tensor<int64_t>({static_cast<int64_t>(values.size())}, values);
}
template <class T>
std::vector<T> values(const Tensor& t) {
  return std::vector<T>(t.data<T>(), t.data<T>() + t.count());
}
/// Normally distributed floats.
inline Tensor random_tensor(Shape shape, uint32_t seed = 1) {
  Tensor t = Tensor::zeros(DType::f32, std::move(shape));
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < t.count(); ++i) reinterpret_cast<float*>(t.writable())[i] = normal(generator);
  return t;
}
/// Uniform integers in [lo, hi].
template <class T>
Tensor random_integers(Shape shape, int64_t lo, int64_t hi, uint32_t seed = 1) {
  Tensor t = Tensor::zeros(dtype_for<T>(), std::move(shape));
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int64_t> uniform(lo, hi);
  for (int64_t i = 0; i < t.count(); ++i)
    reinterpret_cast<T*>(t.writable())[i] = static_cast<T>(uniform(generator));
  return t;
}

inline Result<Node> make_node(std::string_view op, const NamedAttributes& attrs) {
  const OpDef* def = find_op(op);
  if (!def) return Error(Code::internal, "no op '" + std::string(op) + "'");
  for (const auto& [name, value] : attrs) {
    bool known = false;
    if (def->attrs)
      for (const Field& field : def->attrs->fields()) known = known || field.name == name;
    if (!known)
      return Error(Code::internal, std::string(op) + " has no attribute '" + std::string(name) + "'");
  }
  return Node{.op = def, .attrs = def->attrs ? attrs_of(op, attrs) : Attrs(), .provenance = {"t"}};
}

/// A graph that grows node by node, as the importer does it: types inferred, constants folded.
struct TestGraph {
  Graph graph;
  ThreadPool pool{1};

  /// A tensor of the type "f32[batch, 3]". With " = " the elements of an integer tensor too: "i64[2] = batch, -1".
  Result<ValueId> input(std::string_view text) {
    DimTable& dims = *graph.dims;
    auto list = [&](std::string_view s) -> Result<std::vector<Dim>> {
      std::vector<Dim> all;
      int depth = 0;
      size_t from = 0;
      for (size_t i = 0; i <= s.size(); ++i) {
        if (i < s.size()) depth += s[i] == '(' ? 1 : s[i] == ')' ? -1 : 0;
        if (i < s.size() && (s[i] != ',' || depth > 0)) continue;
        if (s.find_first_not_of(' ', from) < i) all.push_back(TRY(dims.parse(s.substr(from, i - from))));
        from = i + 1;
      }
      return all;
    };
    const size_t open = text.find('['), close = text.find(']');
    const auto dtype = dtype_from_name(text.substr(0, open));
    if (!dtype || close == text.npos) return Error(Code::internal, "no type: " + std::string(text));
    const ValueId v = graph.add_value({*dtype, TRY(list(text.substr(open + 1, close - open - 1)))},
                                      "x" + std::to_string(graph.inputs.size()));
    if (const size_t at = text.find('='); at != text.npos)
      graph.values[v].content = TRY(list(text.substr(at + 1)));
    graph.inputs.push_back(v);
    return v;
  }

  Result<std::vector<ValueId>> add(std::string_view op, std::vector<ValueId> inputs,
                                   const NamedAttributes& attrs = {}, size_t outputs = 1) {
    Node node = TRY(make_node(op, attrs));
    node.inputs = std::move(inputs);
    for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(graph.add_value({}, "y" + std::to_string(i)));
    TRY(infer(graph, node));
    const std::vector<ValueId> made = node.outputs;
    if (!TRY(fold(graph, node, pool))) graph.nodes.push_back(std::move(node));
    graph.index();
    return made;
  }

  /// "f32[batch, 3]", or where the elements are known "i64[2] = [batch, 3]".
  std::string text(ValueId v) {
    graph.resolve_dims();
    const Value& value = graph.values[v];
    std::string s = std::string(name_of(value.type.dtype)) + graph.dims->text(value.type.shape);
    return value.content ? s + " = " + graph.dims->text(*value.content) : s;
  }
};

/// A type in text (see TestGraph::input) or a constant.
using Operand = std::variant<std::string, Tensor>;

/// Result types of an op in text (see TestGraph::text). The node is named 't' in messages. "" leaves an operand out.
inline Result<std::vector<std::string>> infer_op(std::string_view op, const std::vector<Operand>& operands,
                                                 const NamedAttributes& attrs = {}, size_t outputs = 1) {
  TestGraph t;
  std::vector<ValueId> inputs;
  for (const Operand& operand : operands)
    if (const auto* constant = std::get_if<Tensor>(&operand))
      inputs.push_back(t.graph.add_constant(*constant));
    else if (std::get<std::string>(operand).empty()) inputs.push_back(no_value);
    else inputs.push_back(TRY(t.input(std::get<std::string>(operand))));
  std::vector<std::string> texts;
  for (ValueId v : TRY(t.add(op, inputs, attrs, outputs))) texts.push_back(t.text(v));
  return texts;
}
/// The first result's type in text, or "error: " and the cause.
inline std::string inferred(std::string_view op, const std::vector<Operand>& operands,
                            const NamedAttributes& attrs = {}) {
  auto r = infer_op(op, operands, attrs);
  return r ? r->front() : "error: " + r.error().cause();
}

/// Runs `op`. Outputs start as garbage. An op that also has a view must agree with its `eval`. A tensor without bytes
/// (`Tensor()`) leaves an operand out.
inline Result<std::vector<Tensor>> run_op(std::string_view op, const std::vector<Tensor>& operands,
                                          const NamedAttributes& attrs = {}, size_t outputs = 1,
                                          int threads = 2) {
  ThreadPool pool(threads);
  Graph graph;
  Node node = TRY(make_node(op, attrs));
  for (const Tensor& x : operands) node.inputs.push_back(x.bytes() ? graph.add_constant(x) : no_value);
  for (size_t i = 0; i < outputs; ++i) node.outputs.push_back(graph.add_value({}, "y" + std::to_string(i)));
  TRY(infer(graph, node));

  std::optional<std::vector<Tensor>> viewed;
  if (node.op->view) viewed = TRY(evaluate_constant(graph, node, pool));
  if (!node.op->eval) {
    if (viewed) return *viewed;
    return Error(Code::internal, std::string(op) + " has no eval, and its view refuses");
  }
  std::vector<Tensor> results(outputs);
  auto allocate = [&](size_t i, const Shape& shape) -> Result<TensorView> {
    results[i] = Tensor::zeros(graph.values[node.outputs[i]].type.dtype, shape);
    if (results[i].byte_size()) std::memset(results[i].writable(), 0xCD, results[i].byte_size());
    return TensorView{results[i].dtype(), shape, results[i].writable()};
  };
  std::vector<TensorView> in(operands.size()), out(outputs);
  std::vector<const TensorView*> pointers(operands.size());
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i].bytes()) continue;
    in[i] = {operands[i].dtype(), operands[i].shape(), const_cast<std::byte*>(operands[i].bytes())};
    pointers[i] = &in[i];
  }
  for (size_t i = 0; i < outputs; ++i) {
    const TensorType& type = graph.values[node.outputs[i]].type;
    Shape shape;
    for (Dim d : type.shape)
      if (auto extent = graph.dims->value(d)) shape.push_back(*extent);
    if (shape.size() == type.shape.size()) out[i] = TRY(allocate(i, shape));
    else out[i] = {type.dtype, {-1}, nullptr};
  }
  TRY(evaluate(node, pointers, out, pool, allocate));
  for (size_t i = 0; viewed && i < outputs; ++i)
    if (std::memcmp((*viewed)[i].bytes(), results[i].bytes(), results[i].byte_size()) != 0)
      return Error(Code::internal, std::string(op) + ": view and eval differ");
  return results;
}

}  // namespace burnish::testing
