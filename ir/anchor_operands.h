#pragma once

#include "ir/anchor.h"

namespace burnish {

/// What the anchor of a Fused node sees: its operands are among those of the Fused node, its result is the Fused one's.
class AnchorOperands final : public KernelCtx {
 public:
  AnchorOperands(KernelCtx& fused, Graph& body) : KernelCtx(body, body.nodes[anchor_index(body)], &fused) {
    for (ValueId v : node.inputs) {
      size_t k = 0;
      while (k < body.inputs.size() && body.inputs[k] != v) ++k;
      operand_.push_back(k);
    }
  }
  const Tensor* constant_operand(size_t i) const override {
    return has(i) ? fused->constant_operand(operand_[i]) : nullptr;
  }
  std::span<const Dim> in_strides(size_t i) const override { return fused->in_strides(operand_[i]); }
  std::span<const Dim> out_strides(size_t i) const override { return fused->out_strides(i); }
  int64_t in_alignment(size_t i) const override { return fused->in_alignment(operand_[i]); }
  int64_t out_alignment(size_t i) const override { return fused->out_alignment(i); }
  OperandPointer in_pointer(size_t i) const override { return fused->in_pointer(operand_[i]); }
  OperandPointer out_pointer(size_t i) const override { return fused->out_pointer(i); }
  DType pointer_type(OperandPointer p) const override { return fused->pointer_type(p); }
  bool is_constant(OperandPointer p) const override { return fused->is_constant(p); }
  void make_dense(size_t i) override { fused->make_dense(operand_[i]); }
  OperandPointer scratch(DType dtype, Dim count) override { return fused->scratch(dtype, count); }
  OperandPointer constant(Tensor tensor) override { return fused->constant(std::move(tensor)); }
  int64_t usual(Dim d) const override { return fused->usual(d); }
  bool tf32() const override { return fused->tf32(); }
  std::string_view architecture() const override { return fused->architecture(); }
  size_t choose(std::vector<Tactic> offered) override { return fused->choose(std::move(offered)); }
  void decline(std::string kind, const Verdict& verdict) override {
    fused->decline(std::move(kind), verdict);
  }

 private:
  std::vector<size_t> operand_;
};

}  // namespace burnish
