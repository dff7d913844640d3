#pragma once

#include <cmath>

#include "ops/dims.h"

namespace burnish {

/// ONNX's Attention, spelled out in products and a softmax; for half precision a pass makes one node of it. We never compute
/// below f32, so softmax_precision says nothing.
class AttentionImport {
 public:
  explicit AttentionImport(ImportCtx& c) : c_(c) {}

  Result<> run() {
    TRY(read_operands());
    TRY(group_heads());
    ValueId scores = TRY(scaled_product());
    if (mode_ == 0) reported_ = scores;
    if (const float cap = TRY(c_.real("softcap", 0.0f)); cap > 0) {
      const ValueId limit = c_.constant_real(cap, dtype_);
      scores = TRY(
          emit_op(c_, "Mul", {TRY(emit_op(c_, "Tanh", {TRY(emit_op(c_, "Div", {scores, limit}))})), limit}));
    }
    if (mode_ == 1) reported_ = scores;
    scores = TRY(masked(scores));
    if (mode_ == 2) reported_ = scores;
    const ValueId weights = TRY(emit_op(c_, "Softmax", {scores}));
    if (mode_ == 3) reported_ = weights;
    return finish(TRY(emit_op(c_, "MatMul", {weights, v_})));
  }

 private:
  const std::vector<Dim>& shape(ValueId v) { return c_.graph().values[v].type.shape; }
  Error unsupported(std::string what) {
    return c_.error(Code::unsupported, std::move(what)).remedy("export the model with Attention decomposed");
  }

  Result<> read_operands() {
    dtype_ = c_.type(0).dtype;
    mode_ = TRY(c_.integer("qk_matmul_output_mode", 0));
    flat_ = c_.type(0).shape.size() == 3;
    const int64_t heads = TRY(c_.integer("q_num_heads", 0)), kv_heads = TRY(c_.integer("kv_num_heads", 0));
    if (flat_ && (heads <= 0 || kv_heads <= 0))
      return c_.error(Code::invalid_model, "operands of three axes need q_num_heads and kv_num_heads");
    q_ = TRY(split_heads(c_.input(0), heads));
    k_ = TRY(split_heads(c_.input(1), kv_heads));
    v_ = TRY(split_heads(c_.input(2), kv_heads));
    for (ValueId x : {q_, k_, v_})
      if (shape(x).size() != 4)
        return c_.error(Code::invalid_model, "queries, keys and values must have 3 or 4 axes");
    if (c_.has_input(4) != c_.has_input(5))
      return c_.error(Code::invalid_model, "past_key and past_value must be given together");
    if (!c_.has_input(4)) return {};
    past_ = c_.type(4).shape.at(2);
    k_ = TRY(emit_op(c_, "Concat", {c_.input(4), k_}, {{"axis", int64_t{2}}}));
    v_ = TRY(emit_op(c_, "Concat", {c_.input(5), v_}, {{"axis", int64_t{2}}}));
    return {};
  }

  // [batch, length, heads * dim] -> [batch, heads, length, dim]
  Result<ValueId> split_heads(ValueId x, int64_t heads) {
    if (!flat_ || shape(x).size() != 3) return x;
    const std::vector<Dim> in = shape(x);
    const Dim n = c_.dims().constant(heads);
    const ValueId split = TRY(emit_reshape(c_, x, {in[0], in[1], n, c_.dims().floor_div(in[2], n)}));
    return emit_op(c_, "Transpose", {split}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  }

  // Several query heads for each head of keys: [batch, key heads, group, length, dim], keys and values with group 1.
  Result<> group_heads() {
    present_key_ = k_;
    present_value_ = v_;
    queries_ = shape(q_)[2];
    keys_ = shape(k_)[2];
    const auto heads = c_.dims().value(shape(q_)[1]), kv_heads = c_.dims().value(shape(k_)[1]);
    if (!heads || !kv_heads || *heads == *kv_heads) return {};
    if (*kv_heads == 0 || *heads % *kv_heads != 0)
      return c_.error(Code::invalid_model, std::to_string(*heads) + " heads of queries do not divide among " +
                                               std::to_string(*kv_heads) + " of keys");
    group_ = *heads / *kv_heads;
    q_ = TRY(grouped(q_, 1));
    for (ValueId* x : {&k_, &v_})
      *x = TRY(emit_op(c_, "Unsqueeze", {*x}, {{"axes", std::vector<int64_t>{2}}}));
    return {};
  }

  // Axis `axis` of x, heads of queries or 1, becomes two.
  Result<ValueId> grouped(ValueId x, size_t axis) {
    std::vector<Dim> to = shape(x);
    const bool spread = !c_.dims().is_constant(to[axis], 1);
    const Dim group = c_.dims().constant(spread ? group_ : 1);
    to[axis] = c_.dims().floor_div(to[axis], group);
    to.insert(to.begin() + static_cast<int64_t>(axis) + 1, group);
    return emit_reshape(c_, x, to);
  }

  Result<ValueId> scaled_product() {
    float scale = TRY(c_.real("scale", 0.0f));
    if (!c_.has_attribute("scale")) {
      const auto dim = c_.dims().value(shape(q_).back());
      if (!dim)
        return unsupported("the head dim, which the scale comes from, is not known when the engine is built");
      scale = static_cast<float>(1 / std::sqrt(static_cast<double>(*dim)));
    }
    std::vector<int64_t> perm{0, 1, 3, 2};
    if (group_ > 1) perm = {0, 1, 2, 4, 3};
    const ValueId k = TRY(emit_op(c_, "Transpose", {k_}, {{"perm", perm}}));
    const ValueId product = TRY(emit_op(c_, "MatMul", {q_, k}));
    return emit_op(c_, "Mul", {product, c_.constant_real(scale, dtype_)});
  }

  Result<ValueId> number(Dim d) {
    if (const auto v = c_.dims().value(d)) return c_.constant_integers({*v}, true);
    return c_.emit("Dims", DimsAttrs{{d}, DType::i64, true}, {});
  }
  Result<ValueId> count_to(Dim d) {
    return emit_op(c_, "Range",
                   {c_.constant_integers({0}, true), TRY(number(d)), c_.constant_integers({1}, true)});
  }

  // True where query i may see key j of those that were not there before: j <= i + past.
  Result<ValueId> causal() {
    ValueId i = TRY(emit_op(c_, "Unsqueeze", {TRY(count_to(queries_))}, {{"axes", std::vector<int64_t>{1}}}));
    if (past_) i = TRY(emit_op(c_, "Add", {i, TRY(number(*past_))}));
    return emit_op(c_, "LessOrEqual", {TRY(count_to(keys_)), i});
  }

  // True where key j of sequence b is not padding: j < count[b].
  Result<ValueId> within(ValueId counts) {
    const ValueId all = TRY(emit_op(c_, "Unsqueeze", {counts}, {{"axes", std::vector<int64_t>{1, 2, 3}}}));
    return emit_op(c_, "Less", {TRY(count_to(keys_)), all});
  }

  Result<ValueId> add(ValueId scores, ValueId mask) {
    if (c_.graph().values[mask].type.dtype == DType::boolean)
      mask = TRY(emit_op(c_, "Where",
                         {mask, c_.constant_real(0, dtype_),
                          c_.constant_real(-std::numeric_limits<float>::infinity(), dtype_)}));
    if (const size_t rank = shape(mask).size(); group_ > 1 && rank > 2) mask = TRY(grouped(mask, rank - 3));
    return emit_op(c_, "Add", {scores, mask});
  }

  // A mask for fewer keys than there are hides the rest.
  Result<ValueId> for_all_keys(ValueId mask) {
    const auto given = c_.dims().value(shape(mask).back()), keys = c_.dims().value(keys_);
    if (!given || !keys || *given >= *keys || *given == 1) return mask;
    std::vector<int64_t> pads(2 * shape(mask).size());
    pads.back() = *keys - *given;
    const bool chooses = c_.graph().values[mask].type.dtype == DType::boolean;
    const ValueId hidden = chooses ? c_.constant(Tensor::zeros(DType::boolean, {}))
                                   : c_.constant_real(-std::numeric_limits<float>::infinity(), dtype_);
    return emit_op(c_, "Pad", {mask, c_.constant_integers(pads), hidden});
  }

  Result<ValueId> masked(ValueId scores) {
    if (c_.has_input(3)) scores = TRY(add(scores, TRY(for_all_keys(c_.input(3)))));
    if (TRY(c_.integer("is_causal", 0))) scores = TRY(add(scores, TRY(causal())));
    if (c_.has_input(6)) scores = TRY(add(scores, TRY(within(c_.input(6)))));
    return scores;
  }

  // Groups become heads again.
  Result<ValueId> ungrouped(ValueId x) {
    if (group_ == 1) return x;
    std::vector<Dim> to = shape(x);
    to[1] = c_.dims().mul(to[1], to[2]);
    to.erase(to.begin() + 2);
    return emit_reshape(c_, x, to);
  }

  Result<> finish(ValueId y) {
    y = TRY(ungrouped(y));
    if (flat_) {
      const std::vector<Dim> in = shape(y);
      y = TRY(emit_op(c_, "Transpose", {y}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}}));
      y = TRY(emit_reshape(c_, y, {in[0], in[2], c_.dims().mul(in[1], in[3])}));
    }
    c_.bind(0, y);
    if (c_.wants_output(1)) c_.bind(1, present_key_);
    if (c_.wants_output(2)) c_.bind(2, present_value_);
    if (!c_.wants_output(3)) return {};
    if (reported_ == no_value)
      return c_.error(Code::invalid_model, "qk_matmul_output_mode is " + std::to_string(mode_));
    c_.bind(3, TRY(ungrouped(reported_)));
    return {};
  }

  ImportCtx& c_;
  DType dtype_ = DType::f32;
  int64_t mode_ = 0, group_ = 1;
  bool flat_ = false;
  ValueId q_ = no_value, k_ = no_value, v_ = no_value, present_key_ = no_value, present_value_ = no_value;
  ValueId reported_ = no_value;  // what qk_matmul_output_mode asks for
  Dim queries_{}, keys_{};
  std::optional<Dim> past_;
};

inline Result<> import_attention(ImportCtx& c) { return AttentionImport(c).run(); }

}  // namespace burnish
