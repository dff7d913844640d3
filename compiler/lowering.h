#pragma once

#include <map>
#include <optional>
#include <set>

#include "compiler/lower.h"

namespace burnish {

/// What the steps of a node are called.
std::string name_of(const Node& node);

/// Where a value lies: a strided window of a buffer.
struct Placed {
  uint32_t buffer = 0;
  StridedView view;
};

/// What a concatenation takes, as it is or through views, and its producer writes into the result.
struct Part {
  ValueId whole;
  size_t axis;
  Dim from;                        // along axis
  std::vector<const Node*> views;  // of it, the concatenation's operand being the last one's result
  bool in_place = false;
};

/// A graph (or region) being lowered, and where its values lie, by space.
struct Scope {
  Graph& graph;
  std::vector<std::optional<Placed>> where[2];
  std::vector<const Node*> sole_reader;  // by value; null: several, or a result of the graph
  std::vector<bool>
      for_windows;  // by value: who reads it likes channels last, or hands its order on to who does
  std::map<ValueId, Part> parts;
  std::map<ValueId, Placed> wholes;  // concatenations of which a part has been written
  Scope* outer = nullptr;

  Scope(Graph& g, Scope* outer_scope) : graph(g), outer(outer_scope) {
    for (auto& w : where) w.resize(g.values.size());
  }
  std::optional<Placed>& at(Space space, ValueId v) {
    auto& list = where[static_cast<size_t>(space)];
    if (list.size() < graph.values.size()) list.resize(graph.values.size());
    return list[v];
  }
};

/// The state of one lowering. Slots in the steps are provisional numbers of `program` until `finish`.
class Lowering {
 public:
  Lowering(Graph& graph, const LowerOptions& options)
      : dims_(*graph.dims), options_(options), program_(*graph.dims), top_(graph, nullptr) {}
  Result<Lowered> run();

 private:
  friend class DeviceOperands;

  // lower.cpp: nodes
  Result<> lower_nodes(Scope& scope);
  Result<> lower_node(Scope& scope, const Node& node);
  Result<bool> lower_view(Scope& scope, const Node& node);
  Result<> lower_dims(Scope& scope, const Node& node);
  Result<> lower_if(Scope& scope, const Node& node);
  Result<> lower_branch(Scope& scope, const Node& node, size_t branch, std::vector<Placed>& results,
                        std::vector<Step>& steps, const std::vector<Dim>& symbols);
  // Whether d is an extent that only the evaluation of a node tells, and no step has told so far.
  bool is_found_by_running(const Scope& scope, Dim d) const;
  Result<> lower_on_host(Scope& scope, const Node& node);
  Result<bool> lower_on_device(Scope& scope, const Node& node);
  /// Describes the work of a node under the tactic that is decided for it, within the limits.
  Verdict describe_within_limits(class DeviceOperands& operands, std::optional<Decision>& decision);
  /// Axes of the node's result y from the slowest to the fastest, as the op likes them; empty: row-major.
  std::vector<int> output_order(Scope& scope, const Node& node, const std::vector<std::optional<Placed>>& in,
                                ValueId y);
  /// The order in which transposes that follow v can be reshaped without a copy; empty: as it comes.
  std::vector<int> order_for_readers(const Scope& scope, ValueId v);
  void find_for_windows(Scope& scope);
  bool prefers_host(Scope& scope, const Node& node);
  Result<> bind_inputs();
  bool fills_buffer(const Placed& placed, Space space, const TensorType& type, const std::vector<int>& order);
  Result<> bind_outputs();
  Port make_port(const Value& value, uint32_t buffer, const std::vector<int>& order);
  void add_checks();
  Result<Lowered> finish();

  // plugin_call.cpp: operators of plugins
  Result<> lower_plugin(Scope& scope, const Node& node);

  // concatenation.cpp: concatenations whose operands are written in place
  /// Notes who may write operand v of a concatenation in place.
  void survey_part(Scope& scope, ValueId v, Part part);
  /// Where a part lies so that its views are a window of the whole; nullopt if no strides can say it.
  std::optional<StridedView> before_views(const Scope& scope, const Part& part, StridedView window);
  /// Finds readers, and which values are parts of which concatenation.
  void survey(Scope& scope);
  /// Where a part lies in its whole, which is given memory for the first of its parts; nullopt if v is none, or cannot be.
  std::optional<Placed> allocate_part(Scope& scope, ValueId v, std::span<const int> order);
  /// Results of a node that a device refuses in place get memory of their own; false if they have it already.
  bool leave_whole(Scope& scope, const Node& node);
  /// The operands that are not in place yet are copied; false if none is in place.
  Result<bool> lower_concatenation(Scope& scope, const Node& node);
  Result<> copy_parts(Scope& scope, const Node& node, size_t first, size_t end, const Placed& whole);

  // constants.cpp
  /// Makes the constants in used buffers, and lets equal ones be one.
  void merge_constants(const std::vector<bool>& used);

  // placement.cpp: values and memory
  /// v in `space`, strided as it comes, copied over if it is only elsewhere.
  Result<Placed> place(Scope& scope, ValueId v, Space space);
  /// Dense; `why` says why a copy is made where it is not.
  Result<Placed> place_dense(Scope& scope, ValueId v, Space space,
                             const std::string& why = "the host reads dense operands");
  /// Says why the step that follows only moves data.
  void note_move(std::string what, const std::string& why);
  Placed place_constant(const Tensor& tensor, Space space);
  /// Constants that a kernel reads element by element with its result get the order in memory that it has.
  void order_constants(Scope& scope, const Node& node, const Placed& result,
                       std::vector<std::optional<Placed>>& in);
  Placed allocate(Scope& scope, ValueId v, Space space, std::span<const int> order = {});
  /// Takes an `allocate` back.
  void withdraw(Scope& scope, ValueId v, Space space);
  uint32_t add_buffer(Space space, Dim bytes);
  /// A dense copy of what lies at `from`.
  Result<Placed> copy(const Placed& from, const TensorType& type, Space from_space, Space to_space,
                      std::string name);
  Result<> copy_into(const Placed& from, Space from_space, const Placed& to, Space to_space,
                     const TensorType& type, std::string name);
  bool is_dense(const StridedView& view, std::span<const Dim> shape);
  /// Whether every stride that matters is that of `strides`.
  bool has_strides(const StridedView& view, std::span<const Dim> shape, std::span<const Dim> strides);
  /// Strides without gaps for axes from the slowest to the fastest; empty: row-major.
  std::vector<Dim> strides_in_order(std::span<const int> order, std::span<const Dim> shape);
  /// The order that the engine's output v is to lie in; empty: row-major, or no output.
  std::vector<int> wanted_order(const Scope& scope, ValueId v) const;
  Dim bytes_of(const TensorType& type);
  /// Makes every symbol of d known, reading it from the tensor it is in if need be.
  Result<> declare(Scope& scope, Dim d);
  Result<> declare(Scope& scope, const TensorType& type);
  Operand operand(const Placed& placed, const TensorType& type);
  Slot slot(Dim d) { return program_.want(d); }
  Step& add_step(std::string name, decltype(Step::what) what);
  Result<> add_calls(Scope& scope, class DeviceOperands& operands, std::string name);
  /// Axes from the slowest to the fastest in memory.
  std::vector<int> memory_order(const Placed& placed, std::span<const Dim> shape);
  /// Whether axes of more than one element are in that order; empty: row-major.
  bool lies_in_order(const Placed& placed, std::span<const Dim> shape, std::span<const int> order);
  int64_t at_optimum(Dim d) const;

  DimTable& dims_;
  const LowerOptions& options_;
  ShapeProgramBuilder program_;
  Scope top_;
  Lowered out_;
  std::vector<Dim> buffer_bytes_;
  std::vector<Step>* steps_ = &out_.plan.steps;
  std::map<std::string, uint32_t> module_of_source_;
  std::map<std::pair<const void*, size_t>, uint32_t>
      constant_numbers_;       // by where the bytes are, and how many
  std::set<ValueId> outputs_;  // of the top graph, not yet given a buffer
  std::map<ValueId, uint32_t> output_buffer_;
  std::map<ValueId, std::vector<int>> output_orders_;  // of all outputs
  uint32_t stages_ = 0;
};

/// Operand addresses for an op's kernel.
class DeviceOperands final : public KernelCtx {
 public:
  DeviceOperands(Lowering& lowering, Scope& scope, const Node& node, std::vector<std::optional<Placed>> in,
                 std::vector<std::optional<Placed>> out)
      : KernelCtx(scope.graph, node), lowering_(lowering), in_(std::move(in)), out_(std::move(out)) {
    forms = lowering.options_.forms;
  }
  std::span<const Dim> in_strides(size_t i) const override { return in_[i]->view.strides; }
  std::span<const Dim> out_strides(size_t i) const override { return out_[i]->view.strides; }
  int64_t in_alignment(size_t i) const override;
  int64_t out_alignment(size_t i) const override;
  bool tf32() const override;
  std::string_view architecture() const override;
  /// Where the operands lie; null: not read.
  std::span<const std::optional<Placed>> inputs() const { return in_; }
  int64_t usual(Dim d) const override { return lowering_.at_optimum(d); }
  DType pointer_type(OperandPointer p) const override { return target(p).dtype; }
  bool is_constant(OperandPointer p) const override;
  void make_dense(size_t i) override;
  OperandPointer scratch(DType dtype, Dim count) override;
  OperandPointer constant(Tensor tensor) override;
  /// The buffer, element offset and type behind a pointer.
  struct Target {
    Placed placed;
    DType dtype;
    bool written;
  };
  Target target(OperandPointer pointer) const;
  Result<> status;  // of copies that make_dense had to add

 private:
  Lowering& lowering_;
  std::vector<std::optional<Placed>> in_, out_;
  std::vector<std::pair<Placed, DType>> extra_;
  std::vector<bool> extra_written_;
};

}  // namespace burnish
