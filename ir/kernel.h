#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/dtype.h"
#include "base/result.h"
#include "ir/constant_forms.h"
#include "ir/graph.h"

namespace burnish {

struct StridedView;

/// A pointer to the first element of an operand, typed by its storage.
struct OperandPointer {
  enum class Kind : uint8_t { input, output, extra };
  Kind kind;
  uint32_t index;
  bool operator==(const OperandPointer&) const = default;
};

/// An operand as the copy engine of sm_90 and later sees it: a tensor of up to five axes, innermost first, of which boxes
/// are copied. The address and all strides are multiples of 16 bytes; what lies outside the extents is read as 0.
struct TensorMap {
  /// Where windows lie along an axis: every `step` elements, from `pad` before it to `pad_end` after it; `reach` from a window's
  /// first element to its last.
  struct Windows {
    uint32_t pad, pad_end, reach, step;
    bool operator==(const Windows&) const = default;
  };
  OperandPointer pointer;
  std::vector<Dim> extents;
  std::vector<Dim> strides;   // in elements, of all axes but the innermost, whose stride is 1
  std::vector<uint32_t> box;  // up to 256 along an axis; 128 bytes along the innermost
  /// Of axes 1 and 2 of the four {channels, w, h, n} of images whose windows are copied (im2col), one element of each: the box is
  /// how many channels, and of how many windows in their order. None: boxes are copied.
  std::vector<Windows> windows = {};
  bool operator==(const TensorMap&) const = default;
};

/// What a kernel is given at its launch.
using KernelArgument = std::variant<OperandPointer, Dim, TensorMap>;

/// C++ text with holes: an operand's pointer or map, or an extent (a literal where it is known at build time, else an
/// argument).
class KernelText {
 public:
  using Piece = std::variant<std::string, Dim, OperandPointer, TensorMap>;
  KernelText& operator<<(std::string_view text) {
    if (!pieces.empty() && std::holds_alternative<std::string>(pieces.back()))
      std::get<std::string>(pieces.back()) += text;
    else pieces.emplace_back(std::string(text));
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
  KernelText& operator<<(TensorMap map) {
    pieces.emplace_back(std::move(map));
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
  std::vector<std::string>
      headers;          // device text to include, from the repository root: "ops/softmax/softmax.cuh"
  std::string prelude;  // functors the call needs, plain C++ text placed before the kernel
  KernelText body;      // statements of the kernel, usually one call
  std::array<Dim, 3> grid;
  std::array<int, 3> block{1, 1, 1};
  int shared_bytes = 0;  // dynamic shared memory
  int resident = 0;      // blocks of a multiprocessor that share its registers; 0: as many as may
  int cluster = 1;       // blocks along x that share their memory (sm_90 and later); divides grid[0]
  bool waits =
      false;  // the body waits for earlier kernels (KernelCtx::starts_early); else its beginning does
};

/// A call of a library's routine as data.
struct RoutineCall {
  std::string library;                   // "cublaslt"
  std::string text;                      // what is to be done, in the library's terms (see runtime/libraries)
  std::vector<OperandPointer> operands;  // in the order that the text implies
};

/// One way to do a node's work.
struct Tactic {
  std::string name;  // "mma 128x64x64 4x1 s3": says all that it decides, for caches and engines keep it
  double cost = 0;   // an estimate; only its ratio to that of the node's other tactics means something
};

/// What an op's `kernel` sees: operand types, and how each lies in device memory.
class KernelCtx {
 public:
  KernelCtx(Graph& graph, const Node& node, KernelCtx* fused = nullptr)
      : graph(graph), node(node), dims(*graph.dims), fused(fused), forms(fused ? fused->forms : nullptr) {}
  virtual ~KernelCtx() = default;
  Graph& graph;
  const Node& node;
  DimTable& dims;
  /// Set when `node` is the anchor of a Fused one: what that one sees. The nodes after it go into the epilogue.
  KernelCtx* fused;
  /// Of a fused node: what normalises the rows of operand 0 before the node reads them. Operand 0 is then what it normalises.
  const Node* normalization = nullptr;
  ConstantForms* forms;  // those made before; null: none are kept

  bool has(size_t i) const { return i < node.inputs.size() && node.inputs[i] != no_value; }
  bool wants(size_t i) const { return i < node.outputs.size() && node.outputs[i] != no_value; }
  const TensorType& in(size_t i) const { return graph.values[node.inputs[i]].type; }
  /// The node's own result; in a fused node what is stored may be of another type (see Epilogue).
  const TensorType& out(size_t i) const { return graph.values[node.outputs[i]].type; }
  const std::vector<Dim>* content(size_t i) const { return has(i) ? graph.content(node.inputs[i]) : nullptr; }
  template <class A>
  const A& attrs() const {
    return node.attrs.as<A>();
  }
  /// The tensor, where operand i is a constant.
  virtual const Tensor* constant_operand(size_t i) const {
    return has(i) ? graph.constant(node.inputs[i]) : nullptr;
  }
  /// Strides of operand i in elements; its pointer already includes the view's offset.
  virtual std::span<const Dim> in_strides(size_t i) const = 0;
  virtual std::span<const Dim> out_strides(size_t i) const = 0;
  /// Elements that the address of operand i is certainly a multiple of (a power of two, at most 64).
  virtual int64_t in_alignment(size_t i) const = 0;
  virtual int64_t out_alignment(size_t i) const = 0;
  virtual OperandPointer in_pointer(size_t i) const {
    return {OperandPointer::Kind::input, static_cast<uint32_t>(i)};
  }
  virtual OperandPointer out_pointer(size_t i) const {
    return {OperandPointer::Kind::output, static_cast<uint32_t>(i)};
  }
  /// The storage type behind a pointer.
  virtual DType pointer_type(OperandPointer p) const = 0;
  /// Whether nothing ever writes what is behind it.
  virtual bool is_constant(OperandPointer p) const = 0;
  /// Operand i of `normalization`, a constant: 1 is the scale, 2 the bias.
  virtual const Tensor* normalization_operand(size_t) const { return nullptr; }
  /// Has `normalization` done by a kernel of its own; afterwards operand 0 is its result, without gaps, rows in the order of before.
  virtual Verdict normalize_first() { return Verdict::yes(); }
  /// Copies operand i if it is not dense row-major; afterwards its strides are.
  virtual void make_dense(size_t i) = 0;
  /// Device memory for the calls of this node alone: `count` elements.
  virtual OperandPointer scratch(DType dtype, Dim count) = 0;
  /// A constant that the kernel wants in a form of its own (repacked weights, tables).
  virtual OperandPointer constant(Tensor tensor) = 0;
  /// The same made from the constant operand i; `form` says all else that it depends on.
  OperandPointer constant_from(size_t i, const std::string& form, const std::function<Tensor()>& make) {
    return constant_from({*constant_operand(i)}, form, make);
  }
  /// The same made from several tensors.
  OperandPointer constant_from(std::initializer_list<Tensor> from, const std::string& form,
                               const std::function<Tensor()>& make) {
    return constant(forms ? forms->find(from, form, make) : make());
  }
  /// What d will usually be: heuristics may depend on it, results may not.
  virtual int64_t usual(Dim d) const = 0;
  /// Allow matrix products of FP32 operands to round them to TF32.
  virtual bool tf32() const { return false; }
  /// What the calls are compiled for, "sm_90"; empty: no GPU in particular, so what all of them have.
  virtual std::string_view architecture() const { return {}; }
  /// Kernels start while those before them still run, and wait on the GPU: from sm_90 on ("sm_100" is longer).
  bool starts_early() const { return architecture().size() > 5 || architecture() >= "sm_90"; }
  /// The tactic to describe the calls under: `wanted` if it is among them, else the first of least cost. Asked at most once a
  /// node. All of them must be right; which one is faster somebody else may have measured.
  virtual size_t choose(std::vector<Tactic> offered) {
    tactics = std::move(offered);
    const auto by_cost = [](const Tactic& a, const Tactic& b) { return a.cost < b.cost; };
    const auto named = std::ranges::find(tactics, wanted, &Tactic::name);
    const auto best = named != tactics.end() ? named : std::ranges::min_element(tactics, by_cost);
    chosen = static_cast<size_t>(best - tactics.begin());
    return chosen;
  }

  /// Notes that a kind of tactic is not among those offered, if `verdict` is a refusal: "wgmma", "k is shorter than a step".
  virtual void decline(std::string kind, const Verdict& verdict) {
    if (!verdict) declined.push_back({std::move(kind), verdict.reason()});
  }

  struct Declined {
    std::string kind, reason;
  };
  std::vector<Declined> declined;
  std::string wanted;           // the name of a tactic; empty: none in particular
  std::vector<Tactic> tactics;  // what `choose` was offered; empty: there was no choice
  size_t chosen = 0;

  /// Calls of libraries come first, then launches, each in the order they were added.
  std::vector<RoutineCall> routines;
  std::vector<KernelCall> calls;
};

}  // namespace burnish
