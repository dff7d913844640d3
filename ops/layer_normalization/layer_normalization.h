#pragma once

#include "ops/normalize.h"

namespace burnish {

/// LayerNormalization: operands x, scale, bias (may be left out), rows (may be left out); results y, mean, 1 / deviation.
/// RMSNormalization: x, scale;
/// y. Axes from `axis` on are normalised; scale and bias broadcast to them. `rows`, which passes give it, is a constant table of
/// indices, from 0 on, along the axis before those: what they pick of x is normalised, their axes taking that one's place.
struct LayerNormalizationAttrs {
  int64_t axis = -1;
  float epsilon = 1e-5f;
  BURNISH_REFLECT(LayerNormalizationAttrs, axis, epsilon)
};

/// stash_type says in which type ONNX computes; we never compute below f32.
inline Result<> import_layer_normalization(ImportCtx& c) {
  const LayerNormalizationAttrs attrs{TRY(c.integer("axis", -1)), TRY(c.real("epsilon", 1e-5f))};
  std::vector<ValueId> inputs;
  if (c.input_count() > 3)
    return c.error(Code::invalid_model, "takes at most 3 inputs, got " + std::to_string(c.input_count()));
  for (size_t i = 0; i < c.input_count(); ++i) inputs.push_back(c.input(i));
  if (inputs.size() == 3 && inputs[2] == no_value) inputs.pop_back();
  size_t outputs = 1;
  for (size_t i = 1; i < c.output_count(); ++i)
    if (c.wants_output(i)) outputs = i + 1;
  const auto results = TRY(c.emit(c.op_type(), attrs, std::move(inputs), outputs));
  for (size_t i = 0; i < results.size(); ++i) c.bind(i, results[i]);
  return {};
}

inline Result<> infer_layer_normalization(InferCtx& c, size_t operands) {
  TRY(c.expect_inputs(2, operands));
  TRY(expect_float(c));
  LayerNormalizationAttrs attrs = c.attrs<LayerNormalizationAttrs>();
  attrs.axis = TRY(c.axis(attrs.axis, c.rank(0)));
  if (attrs.axis != c.attrs<LayerNormalizationAttrs>().axis) c.node.attrs = attrs;
  const std::vector<Dim> tail(c.shape(0).begin() + attrs.axis, c.shape(0).end());
  for (size_t i = 1; i < 3; ++i) {
    if (!c.has(i)) continue;
    const std::string what = i == 1 ? "scale" : "bias";
    if (c.in(i).dtype != c.in(0).dtype)
      return c.error("the " + what + " is " + std::string(name_of(c.in(i).dtype)) + ", the input " +
                     std::string(name_of(c.in(0).dtype)));
    if (c.rank(i) > static_cast<int64_t>(tail.size()))
      return c.error("the " + what + " of shape " + c.dims.text(c.shape(i)) + " does not broadcast to " +
                     c.dims.text(tail));
    for (int64_t k = 1; k <= c.rank(i); ++k) {
      const Dim extent = c.shape(i)[static_cast<size_t>(c.rank(i) - k)];
      if (!c.dims.is_constant(extent, 1))
        TRY(c.unify(extent, tail[tail.size() - static_cast<size_t>(k)],
                    "the " + what + " must fit the normalised axes"));
    }
  }
  std::vector<Dim> shape(c.shape(0).begin(), c.shape(0).begin() + attrs.axis);
  if (c.has(3)) {
    if (c.in(3).dtype != DType::i64 || attrs.axis == 0)
      return c.error("the rows must be int64, along an axis");
    shape.pop_back();
    shape.insert(shape.end(), c.shape(3).begin(), c.shape(3).end());
  }
  std::vector<Dim> reduced = shape;
  reduced.insert(reduced.end(), tail.size(), c.dims.constant(1));
  shape.insert(shape.end(), tail.begin(), tail.end());
  c.out(0, c.in(0).dtype, std::move(shape));
  for (size_t i = 1; i < c.output_count(); ++i)
    c.out(i, c.in(0).dtype == DType::f64 ? DType::f64 : DType::f32, reduced);
  return {};
}

/// Scale or bias written out over the normalised axes.
template <class T>
std::vector<T> broadcast_to_tail(const TensorView& x, std::span<const int64_t> tail) {
  std::vector<T> all(static_cast<size_t>(element_count(tail)));
  for (size_t i = 0; i < all.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i), at = 0, stride = 1;
    for (size_t k = 1; k <= tail.size(); ++k) {
      const int64_t extent = tail[tail.size() - k];
      if (k <= x.shape.size() && x.shape[x.shape.size() - k] != 1) {
        at += rest % extent * stride;
        stride *= extent;
      }
      rest /= extent;
    }
    all[i] = x.data<T>()[at];
  }
  return all;
}

}  // namespace burnish
