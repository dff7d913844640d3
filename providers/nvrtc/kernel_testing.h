#pragma once

#include <numeric>

#include "ops/testing.h"
#include "providers/nvrtc/backend.h"

namespace burnish::nvrtc::testing {

/// How the tensors of a test lie in memory.
enum class Layout {
  dense,
  channels_last,  // ranks 3 to 5
  gaps,           // dense, but only every third element is used
  backwards,      // axes in the opposite order
  swapped,        // the second axis outermost
};

/// Operand addresses without a compiler around them.
class FreeOperands final : public KernelCtx {
 public:
  FreeOperands(Graph& graph, const Node& node, Layout in, Layout out, std::string_view architecture = {})
      : FreeOperands(graph, node, in, std::vector{out}, architecture) {}
  /// Results beyond those that `out` has a layout for lie as the last one.
  FreeOperands(Graph& graph, const Node& node, Layout in, const std::vector<Layout>& out,
               std::string_view architecture = {})
      : KernelCtx(graph, node), architecture_(architecture) {
    for (ValueId v : node.inputs)
      in_.push_back(v == no_value ? std::vector<Dim>() : lay(graph.values[v], in));
    for (ValueId v : node.outputs)
      out_.push_back(v == no_value ? std::vector<Dim>()
                                   : lay(graph.values[v], out[std::min(out_.size(), out.size() - 1)]));
  }
  std::span<const Dim> in_strides(size_t i) const override { return in_[i]; }
  std::span<const Dim> out_strides(size_t i) const override { return out_[i]; }
  int64_t in_alignment(size_t) const override { return 64; }
  int64_t out_alignment(size_t) const override { return 64; }
  DType pointer_type(OperandPointer p) const override {
    if (p.kind == OperandPointer::Kind::extra) return extra[p.index].dtype;
    return p.kind == OperandPointer::Kind::input ? in(p.index).dtype : out(p.index).dtype;
  }
  bool is_constant(OperandPointer p) const override {
    if (p.kind == OperandPointer::Kind::extra) return extra[p.index].tensor.has_value();
    return p.kind == OperandPointer::Kind::input && constant_operand(p.index);
  }
  void make_dense(size_t i) override { in_[i] = dense_strides(dims, in(i).shape); }
  OperandPointer scratch(DType dtype, Dim count) override {
    extra.push_back({dtype, count, std::nullopt});
    return {OperandPointer::Kind::extra, static_cast<uint32_t>(extra.size() - 1)};
  }
  OperandPointer constant(Tensor tensor) override {
    extra.push_back({tensor.dtype(), dims.constant(tensor.count()), tensor});
    return {OperandPointer::Kind::extra, static_cast<uint32_t>(extra.size() - 1)};
  }
  int64_t usual(Dim d) const override {
    return dims.evaluate(
        d, [&](Dim symbol) { return std::clamp<int64_t>(96, dims.range(symbol).lo, dims.range(symbol).hi); });
  }

  std::string_view architecture() const override { return architecture_; }

  struct Extra {
    DType dtype;
    Dim count;
    std::optional<Tensor> tensor;  // of a constant
  };
  std::vector<Extra> extra;

 private:
  std::vector<Dim> lay(const Value& value, Layout layout) {
    const std::vector<Dim>& shape = value.type.shape;
    const size_t rank = shape.size();
    std::vector<size_t> order(rank);
    std::iota(order.begin(), order.end(), 0);
    if (layout == Layout::channels_last && rank >= 3 && rank <= 5)
      std::rotate(order.begin() + 1, order.begin() + 2, order.end());
    if (layout == Layout::backwards) std::reverse(order.begin(), order.end());
    if (layout == Layout::swapped && rank >= 2) std::swap(order[0], order[1]);
    std::vector<Dim> strides(rank);
    Dim stride = dims.constant(layout == Layout::gaps ? 3 : 1);
    for (size_t k = rank; k-- > 0;) {
      strides[order[k]] = stride;
      stride = dims.mul(stride, shape[order[k]]);
    }
    return value.constant ? dense_strides(dims, shape) : strides;
  }

  std::vector<std::vector<Dim>> in_, out_;
  std::string architecture_;
};

/// One op on one set of operands.
struct KernelCase {
  std::string op;
  std::vector<burnish::testing::Operand> operands;
  burnish::testing::NamedAttributes attrs = {};
  size_t outputs = 1;
  Layout in = Layout::dense, out = Layout::dense;

  std::string text() const {
    std::string s = op;
    for (const auto& operand : operands)
      s += " " + (operand.index() == 0 ? std::get<0>(operand) : "constant");
    for (const auto& [name, value] : attrs) s += " " + std::string(name);
    return s + " layouts " + std::to_string(static_cast<int>(in)) + " " +
           std::to_string(static_cast<int>(out));
  }
};

/// The text of a graph with one Fused node alone.
struct FusedCase {
  std::string text;
  Layout in = Layout::dense;
  std::vector<Layout> out = {Layout::dense};
};

/// Grows the case's graph, whose last node is the op.
inline Result<> grow(burnish::testing::TestGraph& t, const KernelCase& c) {
  std::vector<ValueId> inputs;
  for (const auto& operand : c.operands)
    if (const auto* constant = std::get_if<Tensor>(&operand))
      inputs.push_back(t.graph.add_constant(*constant));
    else if (std::get<std::string>(operand).empty()) inputs.push_back(no_value);
    else inputs.push_back(TRY(t.input(std::get<std::string>(operand))));
  TRY(t.add(c.op, inputs, c.attrs, c.outputs));
  t.graph.resolve_dims();
  return {};
}

}  // namespace burnish::nvrtc::testing
