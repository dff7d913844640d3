#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "base/result.h"
#include "base/tensor.h"
#include "ir/graph.h"
#include "ir/kernel.h"

namespace burnish {

// ---------------------------------------------------------------------------------------------- import

/// What an op's `import` sees of an ONNX node, and how it writes IR.
class ImportCtx {
 public:
  virtual ~ImportCtx() = default;
  virtual Graph& graph() = 0;
  DimTable& dims() { return *graph().dims; }

  virtual std::string_view op_type() const = 0;
  /// Version of the operator set that the node's domain is imported with.
  virtual int64_t opset() const = 0;
  virtual size_t input_count() const = 0;
  virtual size_t output_count() const = 0;
  /// no_value where the node leaves operand i out.
  virtual ValueId input(size_t i) const = 0;
  bool has_input(size_t i) const { return i < input_count() && input(i) != no_value; }
  const TensorType& type(size_t i) { return graph().values[input(i)].type; }
  /// The node reads output i's name: false where it is left empty.
  virtual bool wants_output(size_t i) const = 0;

  virtual bool has_attribute(std::string_view name) const = 0;
  virtual Result<int64_t> integer(std::string_view name, std::optional<int64_t> otherwise) const = 0;
  virtual Result<float> real(std::string_view name, std::optional<float> otherwise) const = 0;
  virtual Result<std::string> string(std::string_view name, std::optional<std::string> otherwise) const = 0;
  virtual Result<std::vector<int64_t>> integers(std::string_view name) const = 0;  // empty when absent
  virtual Result<std::vector<float>> reals(std::string_view name) const = 0;
  virtual Result<std::vector<std::string>> strings(std::string_view name) const = 0;
  virtual Result<Tensor> tensor(std::string_view name) const = 0;
  /// The op's attribute struct filled by name from the ONNX attributes; an ONNX attribute without a field is an error
  /// unless named in `ignored`.
  virtual Result<Attrs> attributes(const AttrSchema* schema,
                                   std::span<const std::string_view> ignored = {}) const = 0;

  /// Adds a node of the IR op `op` (types are inferred, constants folded) and returns its outputs.
  virtual Result<std::vector<ValueId>> emit(std::string_view op, Attrs attrs, std::vector<ValueId> inputs,
                                            size_t outputs) = 0;
  Result<ValueId> emit(std::string_view op, Attrs attrs, std::vector<ValueId> inputs) {
    return TRY(emit(op, std::move(attrs), std::move(inputs), 1))[0];
  }
  /// A constant of the graph.
  ValueId constant(Tensor tensor) { return graph().add_constant(std::move(tensor)); }
  ValueId constant_integers(std::vector<int64_t> values, bool scalar = false);
  ValueId constant_real(float value, DType dtype = DType::f32);
  /// Says which IR value is output i of the ONNX node.
  virtual void bind(size_t output, ValueId value) = 0;

  /// An Error of the form "node 'NAME' (OP): what".
  virtual Error error(Code code, std::string what) const = 0;
};

// ---------------------------------------------------------------------------------------------- types and shapes

/// What an op's `infer` sees: operand types in, result types out.
class InferCtx {
 public:
  InferCtx(Graph& graph, Node& node) : graph(graph), node(node), dims(*graph.dims) {}
  Graph& graph;
  Node& node;
  DimTable& dims;

  size_t input_count() const { return node.inputs.size(); }
  size_t output_count() const { return node.outputs.size(); }
  bool has(size_t i) const { return i < node.inputs.size() && node.inputs[i] != no_value; }
  const TensorType& in(size_t i) const { return graph.values[node.inputs[i]].type; }
  const std::vector<Dim>& shape(size_t i) const { return in(i).shape; }
  int64_t rank(size_t i) const { return static_cast<int64_t>(in(i).shape.size()); }
  template <class A>
  const A& attrs() const {
    return node.attrs.as<A>();
  }
  /// The tensor, where input i is a constant; else null.
  const Tensor* constant(size_t i) const { return has(i) ? graph.constant(node.inputs[i]) : nullptr; }
  /// The elements of integer input i, where they are known as Dims; else null.
  const std::vector<Dim>* content(size_t i) const { return has(i) ? graph.content(node.inputs[i]) : nullptr; }
  /// The elements of integer input i; where unknown, symbols that are read from the tensor at run time, each within `range`.
  /// Error if the element count itself is unknown.
  Result<std::vector<Dim>> content_or_symbols(size_t i, Range range = {0, DimTable::unbounded});
  /// Elements that must be constants at build time (axes, …); `what` names them in the error.
  Result<std::vector<int64_t>> constant_content(size_t i, std::string_view what);

  void out(size_t i, TensorType type);
  void out(size_t i, DType dtype, std::vector<Dim> shape) { out(i, TensorType{dtype, std::move(shape)}); }
  void out_content(size_t i, std::vector<Dim> content);
  /// A symbol for extent `axis` of output i that the op decides when it runs. The same one each time it is asked for.
  Dim extent_symbol(size_t output, uint32_t axis, Range range);

  /// a and b must be equal; `what` completes "node 'x' (Op): <what>".
  Result<> unify(Dim a, Dim b, std::string_view what);
  /// axis in [-rank, rank) -> [0, rank).
  Result<int64_t> axis(int64_t axis, int64_t rank) const;
  Result<> expect_inputs(size_t least, size_t most) const;
  /// numpy broadcasting of two shapes.
  Result<std::vector<Dim>> broadcast(const std::vector<Dim>& a, const std::vector<Dim>& b);
  Error error(std::string what) const;
};

// ---------------------------------------------------------------------------------------------- host evaluation

/// What an op's `eval` sees. Tensors are dense row-major. f16 and bf16 never appear: the caller widens them to f32 and
/// rounds the results, so that every op computes in f32, f64, integers or bool.
class EvalCtx {
 public:
  using Allocate = std::function<Result<TensorView>(size_t output, const Shape& shape)>;
  EvalCtx(const Node& node, std::span<const TensorView* const> inputs, std::span<TensorView> outputs,
          ThreadPool& pool, Allocate allocate)
      : node(node), pool(pool), inputs_(inputs), outputs_(outputs), allocate_(std::move(allocate)) {}

  const Node& node;  // attributes and regions; its value ids mean nothing here
  ThreadPool& pool;

  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const { return outputs_.size(); }
  bool has(size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr; }
  const TensorView& in(size_t i) const { return *inputs_[i]; }
  /// False when nobody reads output i: its view has no bytes.
  bool wants(size_t i) const {
    return i < outputs_.size() && (outputs_[i].bytes != nullptr || allocated_late(i));
  }
  /// Output i, extents known, bytes ready to be written (uninitialised).
  TensorView& out(size_t i) { return outputs_[i]; }
  /// For an output with an `extent_symbol`: says the extents found and gets the bytes.
  Result<TensorView> allocate(size_t output, const Shape& shape) { return allocate_(output, shape); }
  template <class A>
  const A& attrs() const {
    return node.attrs.as<A>();
  }
  /// A failure that the data caused: "OP: what" (the caller adds the node's name).
  Error error(std::string what) const;

 private:
  bool allocated_late(size_t i) const;
  std::span<const TensorView* const> inputs_;
  std::span<TensorView> outputs_;
  Allocate allocate_;
};

// ---------------------------------------------------------------------------------------------- views

/// How elements of a tensor lie in a buffer: element (i0, i1, …) is at offset + Σ i_k * strides[k], in elements.
struct StridedView {
  Dim offset;
  std::vector<Dim> strides;
};
/// Row-major strides of a shape.
std::vector<Dim> dense_strides(DimTable& dims, std::span<const Dim> shape);

/// What the `view` of an op sees: how its first input lies in memory; it says how each output lies in the same memory.
struct ViewCtx {
  const Graph& graph;
  const Node& node;
  DimTable& dims;
  std::span<const Dim> in_shape;
  const StridedView& in;
  std::vector<StridedView>& out;  // one per output, to be filled
  template <class A>
  const A& attrs() const {
    return node.attrs.as<A>();
  }
  std::span<const Dim> out_shape(size_t i) const { return graph.values[node.outputs[i]].type.shape; }
  const std::vector<Dim>* content(size_t i) const {
    return i < node.inputs.size() ? graph.content(node.inputs[i]) : nullptr;
  }
};

// ---------------------------------------------------------------------------------------------- the definition of an op

/// One operator: everything the compiler knows about it, in one file `ops/<name>.cpp` that defines `op_<name>`.
struct OpDef {
  std::string_view name;
  int version = 1;
  const AttrSchema* attrs = nullptr;
  /// ONNX node -> IR. Null: attributes are taken by name, inputs and outputs as they are. An op with nothing but `import`
  /// is a decomposition and never appears in a graph.
  Result<> (*import)(ImportCtx&) = nullptr;
  /// Result types (and contents of small integer tensors).
  Result<> (*infer)(InferCtx&) = nullptr;
  /// Host evaluation: oracle, constant folding, CPU target. May be null when `view` is there.
  Result<> (*eval)(EvalCtx&) = nullptr;
  /// Set: pointwise with broadcasting, so fusible everywhere. Gives the device expression of one element.
  std::string (*scalar)(const Attrs&, std::span<const std::string> operands) = nullptr;
  /// Set: the outputs lie in the first input's memory. False: not in this case, copy.
  bool (*view)(ViewCtx&) = nullptr;
  /// Set: a bespoke device kernel. A refusal sends the node to the host.
  Verdict (*kernel)(KernelCtx&) = nullptr;
  /// Bit i: operand i is read through its content when that is known, and then needs no buffer.
  uint32_t content_operands = 0;
  /// Bit i: float operand i is never stored as FP16 (scales, thresholds); with operand 0 the results are not either.
  uint32_t exact_operands = 0;
  /// Results keep FP32 storage in an FP16 engine, for their range (Exp, Pow) or their meaning (coordinates).
  bool keeps_f32 = false;
  /// The output likes the memory order of the first input (pointwise, pooling, resize, …).
  bool keeps_order = false;
  /// On a device the output of rank 3 to 5 lies channels-last (convolutions).
  bool channels_last = false;
  /// The kernel can end in an epilogue (make_epilogue), so pointwise nodes that follow may join it.
  bool epilogue = false;
  /// Set: the kernel can compute its first operand as it reads it (make_prologue), so pointwise nodes before it may join it. Gives
  /// how often it reads each element; 0: not in this case.
  int (*readings)(const Graph&, const Node&) = nullptr;
};

/// Every op there is, by name; generated from the files of `ops/`.
std::span<const OpDef* const> all_ops();
/// Null if there is none.
const OpDef* find_op(std::string_view name);

/// "node 'layer1.conv' (Conv)": how errors name a node.
std::string describe(const Node& node);

}  // namespace burnish
