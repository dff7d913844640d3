#pragma once

#include <algorithm>
#include <numeric>

#include "ir/anchor.h"

namespace burnish {

/// What a node of a Fused one's body sees: operands that are among those of the Fused node, its result.
class BodyOperands : public KernelCtx {
 public:
  BodyOperands(KernelCtx& whole, Graph& body, const Node& node, KernelCtx* fused)
      : KernelCtx(body, node, fused), whole(whole) {
    forms = whole.forms;
    for (ValueId v : node.inputs) operand_.push_back(place_of(v));
  }
  const Tensor* constant_operand(size_t i) const override {
    return has(i) ? whole.constant_operand(operand_[i]) : nullptr;
  }
  std::span<const Dim> in_strides(size_t i) const override { return whole.in_strides(operand_[i]); }
  std::span<const Dim> out_strides(size_t i) const override { return whole.out_strides(i); }
  int64_t in_alignment(size_t i) const override { return whole.in_alignment(operand_[i]); }
  int64_t out_alignment(size_t i) const override { return whole.out_alignment(i); }
  OperandPointer in_pointer(size_t i) const override { return whole.in_pointer(operand_[i]); }
  OperandPointer out_pointer(size_t i) const override { return whole.out_pointer(i); }
  DType pointer_type(OperandPointer p) const override { return whole.pointer_type(p); }
  bool is_constant(OperandPointer p) const override { return whole.is_constant(p); }
  void make_dense(size_t i) override { whole.make_dense(operand_[i]); }
  OperandPointer scratch(DType dtype, Dim count) override { return whole.scratch(dtype, count); }
  OperandPointer constant(Tensor tensor) override { return whole.constant(std::move(tensor)); }
  int64_t usual(Dim d) const override { return whole.usual(d); }
  bool tf32() const override { return whole.tf32(); }
  std::string_view architecture() const override { return whole.architecture(); }
  size_t choose(std::vector<Tactic> offered) override { return whole.choose(std::move(offered)); }
  void decline(std::string kind, const Verdict& verdict) override { whole.decline(std::move(kind), verdict); }

 protected:
  KernelCtx& whole;

  /// Which operand of the Fused node the body's value is.
  size_t place_of(ValueId v) const {
    return static_cast<size_t>(std::ranges::find(graph.inputs, v) - graph.inputs.begin());
  }
  void set_operand(size_t i, ValueId v) { operand_[i] = place_of(v); }

 private:
  std::vector<size_t> operand_;
};

/// What the anchor of a Fused node sees. Where a normalisation makes its operand 0, that is what the normalisation reads, until
/// `normalize_first`. Where pointwise nodes compute it, it lies nowhere: its strides are those of the first operand of its extents that
/// these read, so that a kernel walks as that one lies.
class AnchorOperands final : public BodyOperands {
 public:
  AnchorOperands(KernelCtx& fused, Graph& body)
      : BodyOperands(fused, body, body.nodes[anchor_index(body)], &fused) {
    const Node* maker = body.producer(node.inputs[0]);
    if (maker && is_elementwise(*maker)) {
      computed_ = true;
      walk_as_operands();
    } else if (maker) {
      normalization = maker;
      set_operand(0, normalization->inputs[0]);
    }
  }
  const Tensor* constant_operand(size_t i) const override {
    return i == 0 && computed_ ? nullptr : BodyOperands::constant_operand(i);
  }
  const Tensor* normalization_operand(size_t i) const override {
    const bool there = i < normalization->inputs.size() && normalization->inputs[i] != no_value;
    return there ? whole.constant_operand(place_of(normalization->inputs[i])) : nullptr;
  }
  Verdict normalize_first() override {
    const std::vector<Dim>& shape = in(0).shape;
    normalized_ = {scratch(in(0).dtype, dims.product(shape)), dense_as(in_strides(0))};
    Normalization first(whole, graph, *normalization, normalized_);
    if (Verdict v = normalization->op->kernel(first); !v) return v;
    calls = std::move(first.calls);
    normalization = nullptr;
    return Verdict::yes();
  }
  std::span<const Dim> in_strides(size_t i) const override {
    return i == 0 && is_stored() ? std::span<const Dim>(normalized_.strides) : BodyOperands::in_strides(i);
  }
  int64_t in_alignment(size_t i) const override {
    return i == 0 && is_stored() ? 64 : BodyOperands::in_alignment(i);
  }
  OperandPointer in_pointer(size_t i) const override {
    return i == 0 && is_stored() ? normalized_.pointer : BodyOperands::in_pointer(i);
  }

 private:
  struct Stored {
    OperandPointer pointer;
    std::vector<Dim> strides;
  };
  /// What the normalisation sees, whose result is in memory of its own.
  class Normalization final : public BodyOperands {
   public:
    Normalization(KernelCtx& whole, Graph& body, const Node& node, const Stored& to)
        : BodyOperands(whole, body, node, nullptr), to_(to) {}
    std::span<const Dim> out_strides(size_t) const override { return to_.strides; }
    int64_t out_alignment(size_t) const override { return 64; }
    OperandPointer out_pointer(size_t) const override { return to_.pointer; }

   private:
    const Stored& to_;
  };
  /// Strides without gaps, rows in the order in which they lie with those strides.
  std::vector<Dim> dense_as(std::span<const Dim> strides) {
    const std::vector<Dim>& shape = in(0).shape;
    std::vector<size_t> order(shape.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end() - 1,
                     [&](size_t a, size_t b) { return usual(strides[a]) > usual(strides[b]); });
    std::vector<Dim> dense(shape.size());
    Dim stride = dims.constant(1);
    for (size_t k = order.size(); k-- > 0;) {
      dense[order[k]] = stride;
      stride = dims.mul(stride, shape[order[k]]);
    }
    return dense;
  }
  bool is_stored() const { return !normalized_.strides.empty(); }
  void walk_as_operands() {
    const std::vector<Dim>& shape = in(0).shape;
    const auto like =
        std::ranges::find_if(graph.inputs, [&](ValueId v) { return graph.values[v].type.shape == shape; });
    if (like != graph.inputs.end()) set_operand(0, *like);
    else normalized_.strides = dense_strides(dims, shape);
  }

  bool computed_ = false;

  Stored normalized_;
};

}  // namespace burnish
