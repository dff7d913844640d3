#include "ir/evaluate.h"

#include <algorithm>

#include "base/deferred_tensor.h"
#include "base/strided.h"
#include "ir/constant.h"
#include "ir/control_flow.h"
#include "ir/element.h"

namespace burnish {

namespace {

bool is_narrow(DType t) { return t == DType::f16 || t == DType::bf16; }

// A f32 copy of a f16 or bf16 tensor, or room for the f32 results of one.
struct Widened {
  std::vector<float> data;
  TensorView view;
};

void widen(const TensorView& from, Widened& to, ThreadPool& pool) {
  to.data.resize(static_cast<size_t>(from.count()));
  to.view = {DType::f32, from.shape, reinterpret_cast<std::byte*>(to.data.data())};
  pool.parallel_for(from.count(), 1 << 15, [&](int64_t begin, int64_t end) {
    if (from.dtype == DType::f16)
      for (int64_t i = begin; i < end; ++i) to.data[static_cast<size_t>(i)] = to_float(from.data<half>()[i]);
    else
      for (int64_t i = begin; i < end; ++i)
        to.data[static_cast<size_t>(i)] = to_float(from.data<bfloat16>()[i]);
  });
}

void narrow(const TensorView& from, const TensorView& to, ThreadPool& pool) {
  const float* x = from.data<float>();
  pool.parallel_for(to.count(), 1 << 15, [&](int64_t begin, int64_t end) {
    if (to.dtype == DType::f16)
      for (int64_t i = begin; i < end; ++i) to.data<half>()[i] = to_half(x[i]);
    else
      for (int64_t i = begin; i < end; ++i) to.data<bfloat16>()[i] = to_bfloat16(x[i]);
  });
}

}  // namespace

bool EvalCtx::allocated_late(size_t i) const { return outputs_[i].count() < 0; }

Result<> evaluate(const Node& node, std::span<const TensorView* const> inputs, std::span<TensorView> outputs,
                  ThreadPool& pool, const EvalCtx::Allocate& allocate) {
  if (is_control_flow(node)) {  // its bodies take tensors as they are stored
    EvalCtx ctx(node, inputs, outputs, pool, allocate);
    return node.op->eval(ctx);
  }
  std::vector<Widened> in_wide(inputs.size()), out_wide(outputs.size());
  std::vector<const TensorView*> in(inputs.begin(), inputs.end());
  std::vector<TensorView> out(outputs.begin(), outputs.end());
  std::vector<TensorView> late(outputs.size());
  for (size_t i = 0; i < in.size(); ++i)
    if (in[i] && is_narrow(in[i]->dtype)) {
      widen(*in[i], in_wide[i], pool);
      in[i] = &in_wide[i].view;
    }
  auto prepare = [&](size_t i, const TensorView& target) {
    if (!is_narrow(target.dtype)) return target;
    out_wide[i].data.resize(static_cast<size_t>(std::max<int64_t>(target.count(), 1)));
    out_wide[i].view = {DType::f32, target.shape, reinterpret_cast<std::byte*>(out_wide[i].data.data())};
    return out_wide[i].view;
  };
  for (size_t i = 0; i < out.size(); ++i)
    if (out[i].bytes) out[i] = prepare(i, out[i]);
  EvalCtx ctx(node, in, out, pool, [&](size_t i, const Shape& shape) -> Result<TensorView> {
    late[i] = TRY(allocate(i, shape));
    return prepare(i, late[i]);
  });
  TRY(node.op->eval(ctx));
  for (size_t i = 0; i < out.size(); ++i)
    if (!out_wide[i].data.empty()) narrow(out_wide[i].view, late[i].bytes ? late[i] : outputs[i], pool);
  return {};
}

namespace {

std::optional<Shape> constant_shape(const Graph& graph, std::span<const Dim> shape) {
  Shape out;
  for (Dim d : shape) {
    const auto v = graph.dims->value(d);
    if (!v) return std::nullopt;
    out.push_back(*v);
  }
  return out;
}

std::optional<std::vector<int64_t>> constants(const DimTable& dims, std::span<const Dim> list) {
  std::vector<int64_t> out;
  for (Dim d : list) {
    const auto v = dims.value(d);
    if (!v) return std::nullopt;
    out.push_back(*v);
  }
  return out;
}

// A view op on a constant: one strided copy per output, made once somebody reads it.
std::optional<std::vector<Tensor>> evaluate_view(const Graph& graph, const Node& node) {
  DimTable& dims = *graph.dims;
  const Tensor& x = *graph.constant(node.inputs[0]);
  const std::vector<Dim>& in_shape = graph.values[node.inputs[0]].type.shape;
  const StridedView in{dims.constant(0), dense_strides(dims, in_shape)};
  std::vector<StridedView> out(node.outputs.size());
  ViewCtx ctx{graph, node, dims, in_shape, in, out};
  if (!node.op->view(ctx)) return std::nullopt;
  std::vector<Tensor> results;
  for (size_t i = 0; i < out.size(); ++i) {
    if (node.outputs[i] == no_value) {
      results.emplace_back();
      continue;
    }
    const auto shape = constant_shape(graph, ctx.out_shape(i));
    const auto strides = constants(dims, out[i].strides);
    const auto offset = dims.value(out[i].offset);
    if (!shape || !strides || !offset) return std::nullopt;
    const auto copy = [x, from = *offset, shape = *shape, strides = *strides](std::byte* to,
                                                                              ThreadPool& pool) {
      const size_t size = size_of(x.dtype());
      copy_strided(pool, size, shape, x.bytes(pool) + from * static_cast<int64_t>(size), strides, to,
                   dense_strides(std::span<const int64_t>(shape)));
    };
    results.push_back(deferred_tensor(x.dtype(), *shape, copy));
  }
  return results;
}

Tensor from_content(DType dtype, Shape shape, const std::vector<int64_t>& content) {
  Tensor tensor = Tensor::zeros(dtype, std::move(shape));
  visit_storage(dtype, [&]<class T>(T*) {
    if constexpr (std::is_integral_v<T>)
      for (size_t i = 0; i < content.size(); ++i)
        reinterpret_cast<T*>(tensor.writable())[i] = static_cast<T>(content[i]);
  });
  return tensor;
}

}  // namespace

Result<std::optional<std::vector<Tensor>>> evaluate_constant(const Graph& graph, const Node& node,
                                                             ThreadPool& pool) {
  using Nothing = std::optional<std::vector<Tensor>>;
  for (ValueId v : node.inputs)
    if (v != no_value && !graph.constant(v)) return Nothing();
  if (node.op->view && !node.inputs.empty())
    if (auto results = evaluate_view(graph, node)) return Nothing(std::move(results));
  if (!node.op->eval) return Nothing();
  std::vector<TensorView> in(node.inputs.size()), out(node.outputs.size());
  std::vector<const TensorView*> in_pointers(in.size());
  std::vector<Tensor> results(out.size());
  for (size_t i = 0; i < in.size(); ++i) {
    if (node.inputs[i] == no_value) continue;
    const Tensor& x = *graph.constant(node.inputs[i]);
    in[i] = {x.dtype(), x.shape(), const_cast<std::byte*>(x.bytes(pool))};
    in_pointers[i] = &in[i];
  }
  auto allocate = [&](size_t i, const Shape& shape) -> Result<TensorView> {
    results[i] = Tensor::zeros(graph.values[node.outputs[i]].type.dtype, shape);
    return TensorView{results[i].dtype(), shape, results[i].writable()};
  };
  for (size_t i = 0; i < out.size(); ++i) {
    if (node.outputs[i] == no_value) continue;
    const TensorType& type = graph.values[node.outputs[i]].type;
    if (auto shape = constant_shape(graph, type.shape)) out[i] = *allocate(i, *shape);
    else out[i] = {type.dtype, {-1}, nullptr};
  }
  TRY(evaluate(node, in_pointers, out, pool, allocate));
  return Nothing(std::move(results));
}

Result<bool> fold(Graph& graph, Node& node, ThreadPool& pool) {
  std::vector<Tensor> results;
  bool by_content = !node.outputs.empty();
  for (ValueId v : node.outputs) {
    if (v == no_value) continue;
    const auto* content = graph.content(v);
    const auto values = content ? constants(*graph.dims, *content) : std::nullopt;
    const auto shape = constant_shape(graph, graph.values[v].type.shape);
    if (!values || !shape || element_count(*shape) != static_cast<int64_t>(values->size())) {
      by_content = false;
      break;
    }
    results.push_back(from_content(graph.values[v].type.dtype, *shape, *values));
  }
  if (!by_content) {
    if (node.inputs.empty() || !node.regions.empty()) return false;  // Fail; loops, which may be long
    auto evaluated = TRY(evaluate_constant(graph, node, pool));
    if (!evaluated) return false;
    results.clear();
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (node.outputs[i] != no_value) results.push_back(std::move((*evaluated)[i]));
  }
  size_t next = 0;
  for (ValueId v : node.outputs)
    if (v != no_value) make_constant(graph, v, std::make_shared<const Tensor>(std::move(results[next++])));
  node.dead = true;
  return true;
}

}  // namespace burnish
