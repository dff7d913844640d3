#pragma once

#include <algorithm>

#include "providers/cudnn/graph_of.h"

namespace burnish::cudnn {

/// What reading a node as a graph comes down to, whatever its operator.
class GraphReader {
 protected:
  GraphReader(KernelCtx& ctx, NodeGraph& out) : ctx_(ctx), out_(out) {}

  /// Whether all extents of its operands are numbers, and none is 0.
  Verdict fixed_extents() const {
    for (size_t i = 0; i < ctx_.node.inputs.size(); ++i)
      if (ctx_.has(i))
        for (Dim d : ctx_.in(i).shape)
          if (value(d) <= 0) return Verdict::no("its extents are decided by the inputs of a run, or empty");
    return Verdict::yes();
  }
  int64_t value(Dim d) const { return ctx_.dims.value(d).value_or(-1); }
  std::vector<int64_t> values(std::span<const Dim> list) const {
    std::vector<int64_t> out;
    for (Dim d : list) out.push_back(value(d));
    return out;
  }

  /// Tensors of the graph, by number: an operand of the node's, and what one operation leaves to the next. `alignment`: in
  /// elements.
  size_t in_memory(OperandPointer pointer, DType dtype, std::vector<int64_t> extents,
                   std::vector<int64_t> strides, int64_t alignment) {
    out_.tensors.push_back(out_.graph.tensors.size());
    out_.operands.push_back(pointer);
    const int64_t bytes = std::min<int64_t>(16, alignment * static_cast<int64_t>(size_of(dtype)));
    return tensor({dtype, std::move(extents), std::move(strides), false, bytes});
  }
  size_t between(std::vector<int64_t> extents, std::vector<int64_t> strides, DType dtype = DType::f32) {
    return tensor({dtype, std::move(extents), std::move(strides), true});
  }
  size_t like(size_t other, DType dtype) {
    const OperationGraph::Tensor& t = out_.graph.tensors[other];
    return between(t.extents, t.strides, dtype);
  }
  void add(OperationGraph::Operation operation) { out_.graph.operations.push_back(std::move(operation)); }

  KernelCtx& ctx_;

 private:
  size_t tensor(OperationGraph::Tensor tensor) {
    out_.graph.tensors.push_back(std::move(tensor));
    return out_.graph.tensors.size() - 1;
  }

  NodeGraph& out_;
};

}  // namespace burnish::cudnn
