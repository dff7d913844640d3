#include "compiler/work.h"

#include "ir/anchor.h"

namespace burnish {

namespace {

/// A node and the types of what it reads and gives.
struct Operands {
  const Graph& graph;
  const Node& node;
  DimTable& dims;

  const std::vector<Dim>& in(size_t i) const { return graph.values[node.inputs[i]].type.shape; }
  const std::vector<Dim>& out() const { return graph.values[node.outputs[0]].type.shape; }
  /// The product of all extents but the first or last `left`.
  Dim without_first(const std::vector<Dim>& shape, size_t left) const {
    return dims.product(std::span(shape).subspan(left));
  }
  Dim without_last(const std::vector<Dim>& shape, size_t left) const {
    return dims.product(std::span(shape).first(shape.size() - left));
  }
};

/// Pairs that are multiplied and added up: half the FLOPs. 0 where the node is no contraction.
Dim multiply_adds(const Operands& x) {
  DimTable& dims = x.dims;
  const std::string_view op = x.node.op->name;
  if (op == "Conv") return dims.mul(dims.product(x.out()), x.without_first(x.in(1), 1));
  if (op == "ConvTranspose") return dims.mul(dims.product(x.in(0)), x.without_first(x.in(1), 1));
  if (op == "MatMul") return dims.mul(dims.product(x.out()), x.in(0).back());
  if (op == "Gemm")
    return dims.mul(dims.product(x.out()), x.in(0)[*x.node.attrs.find<bool>("trans_a") ? 0 : 1]);
  if (op == "Attention") {  // scores from the head dim, and results from the keys
    const Dim keys = x.in(1)[x.in(1).size() - 2];
    return dims.mul(dims.mul(x.without_last(x.out(), 1), keys), dims.add(x.in(0).back(), x.in(2).back()));
  }
  if (op == "SqueezeExcite")
    return dims.mul(x.in(0)[0], dims.add(dims.product(x.in(1)), dims.product(x.in(3))));
  if (op == "LSTM" || op == "GRU" || op == "RNN")
    return dims.mul(x.without_last(x.in(0), 1), dims.add(dims.product(x.in(1)), dims.product(x.in(2))));
  return dims.constant(0);
}

Dim bytes_of(DimTable& dims, const TensorType& type, std::span<const Dim> strides) {
  Dim bytes = dims.constant(static_cast<int64_t>(size_of(type.dtype)));
  for (size_t axis = 0; axis < type.shape.size(); ++axis)
    if (strides.empty() || !dims.is_constant(strides[axis], 0)) bytes = dims.mul(bytes, type.shape[axis]);
  return bytes;
}

}  // namespace

WorkDims work_of(const Graph& graph, const Node& node, std::span<const std::optional<Placed>> in) {
  DimTable& dims = *graph.dims;
  const bool fused = node.op->name == "Fused";
  const Graph& inner = fused ? node.regions[0] : graph;
  const Node& anchor = anchor_of(node);
  const Dim two = dims.constant(2);
  WorkDims work{dims.mul(two, multiply_adds({inner, anchor, dims})), dims.constant(0), dims.constant(0)};
  for (ValueId v : node.outputs)
    if (v != no_value)
      work.bytes_written = dims.add(work.bytes_written, bytes_of(dims, graph.values[v].type, {}));
  for (size_t i = 0; i < in.size(); ++i) {
    if (!in[i]) continue;
    const bool picked = i == 0 && anchor.op->name.starts_with("Gather");
    const Dim all = bytes_of(dims, graph.values[node.inputs[i]].type, in[i]->view.strides);
    work.bytes_read = dims.add(work.bytes_read, picked ? work.bytes_written : all);
  }
  return work;
}

}  // namespace burnish
