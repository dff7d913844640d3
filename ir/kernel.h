#pragma once

#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "ir/graph.h"

namespace burnish {

struct StridedView;

/// A pointer to the first element of an operand, typed by its storage.
struct OperandPointer {
  bool output;
  uint32_t index;
};

/// C++ text with holes: an operand's pointer, or an extent (a literal where it is known at build time, else an argument).
class KernelText {
 public:
  using Piece = std::variant<std::string, Dim, OperandPointer>;
  KernelText& operator<<(std::string_view text) {
    if (!pieces.empty() && std::holds_alternative<std::string>(pieces.back()))
      std::get<std::string>(pieces.back()) += text;
    else
      pieces.emplace_back(std::string(text));
    return *this;
  }
  KernelText& operator<<(int64_t number) { return *this << std::string_view(std::to_string(number) + "LL"); }
  KernelText& operator<<(Dim d) {
    pieces.emplace_back(d);
    return *this;
  }
  KernelText& operator<<(OperandPointer p) {
    pieces.emplace_back(p);
    return *this;
  }
  /// "a, b, c"
  KernelText& list(std::span<const Dim> dims) {
    for (size_t i = 0; i < dims.size(); ++i) (i ? *this << ", " : *this) << dims[i];
    return *this;
  }
  std::vector<Piece> pieces;
};

/// One kernel launch as data; names device text, touches no CUDA.
struct KernelCall {
  std::string header;  // device text to include, from the repository root: "ops/softmax/softmax.cuh"
  std::string prelude; // functors the call needs, plain C++ text placed before the kernel
  KernelText body;     // statements of the kernel, usually one call
  std::array<Dim, 3> grid;
  std::array<int, 3> block{1, 1, 1};
  int shared_bytes = 0;  // dynamic shared memory
};

/// What an op's `kernel` sees: operand types, and how each lies in device memory.
class KernelCtx {
 public:
  KernelCtx(Graph& graph, const Node& node) : graph(graph), node(node), dims(*graph.dims) {}
  virtual ~KernelCtx() = default;
  Graph& graph;
  const Node& node;
  DimTable& dims;

  bool has(size_t i) const { return i < node.inputs.size() && node.inputs[i] != no_value; }
  bool wants(size_t i) const { return i < node.outputs.size() && node.outputs[i] != no_value; }
  const TensorType& in(size_t i) const { return graph.values[node.inputs[i]].type; }
  const TensorType& out(size_t i) const { return graph.values[node.outputs[i]].type; }
  const std::vector<Dim>* content(size_t i) const { return has(i) ? graph.content(node.inputs[i]) : nullptr; }
  /// Strides of operand i in elements; its pointer already includes the view's offset.
  virtual std::span<const Dim> in_strides(size_t i) const = 0;
  virtual std::span<const Dim> out_strides(size_t i) const = 0;
  template <class A>
  const A& attrs() const {
    return node.attrs.as<A>();
  }
  OperandPointer in_pointer(size_t i) const { return {false, static_cast<uint32_t>(i)}; }
  OperandPointer out_pointer(size_t i) const { return {true, static_cast<uint32_t>(i)}; }

  /// Launches run in the order they were added.
  std::vector<KernelCall> calls;
};

/// The device spelling of a storage type: "half", "float", "long long", ….
std::string_view device_type(DType t);

}  // namespace burnish
