#pragma once

#include <limits>
#include <type_traits>

#include "ops/emit.h"

namespace burnish {

/// Attributes of Softmax, LogSoftmax and Hardmax: the one axis that is normalised.
struct AlongAxisAttrs {
  int64_t axis = -1;
  BURNISH_REFLECT(AlongAxisAttrs, axis)
};

/// Before opset 13 these ops work on the input flattened to two dimensions at `axis`.
inline Result<> import_along_axis(ImportCtx& c) {
  const auto rank = static_cast<int64_t>(c.type(0).shape.size());
  AlongAxisAttrs attrs{TRY(c.integer("axis", c.opset() < 13 ? 1 : -1))};
  const int64_t axis = attrs.axis < 0 ? attrs.axis + rank : attrs.axis;
  if (c.opset() >= 13 || axis == rank - 1 || axis < 0 || axis > rank) {
    c.bind(0, TRY(c.emit(c.op_type(), attrs, {c.input(0)})));
    return {};
  }
  // The leading axes may stay apart: only those from `axis` on are flattened into one.
  std::vector<int64_t> flat(static_cast<size_t>(axis), 0);
  flat.push_back(axis == rank ? 1 : -1);
  const ValueId shape = TRY(emit_op(c, "Shape", {c.input(0)}));
  const ValueId x = TRY(emit_op(c, "Reshape", {c.input(0), c.constant_integers(flat)}));
  const ValueId y = TRY(c.emit(c.op_type(), AlongAxisAttrs{-1}, {x}));
  c.bind(0, TRY(emit_op(c, "Reshape", {y, shape})));
  return {};
}

inline Result<> infer_along_axis(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  if (!is_float(c.in(0).dtype)) return c.error("is not defined on " + std::string(name_of(c.in(0).dtype)));
  const int64_t axis = TRY(c.axis(c.attrs<AlongAxisAttrs>().axis, c.rank(0)));
  if (axis != c.attrs<AlongAxisAttrs>().axis) c.node.attrs = AlongAxisAttrs{axis};
  c.out(0, c.in(0));
  return {};
}

/// Calls line(x, y, count, step) for every line along `axis`, of float or double: element i is x[i * step].
template <class F>
Result<> for_each_line(EvalCtx& c, int64_t axis, const F& line) {
  const TensorView& x = c.in(0);
  const int64_t rank = x.rank();
  if (axis < 0) axis += rank;
  int64_t outer = 1, inner = 1;
  for (int64_t i = 0; i < axis; ++i) outer *= x.shape[static_cast<size_t>(i)];
  for (int64_t i = axis + 1; i < rank; ++i) inner *= x.shape[static_cast<size_t>(i)];
  const int64_t count = x.shape[static_cast<size_t>(axis)];
  auto run = [&]<class T>(T*) {
    const T* from = x.data<T>();
    T* to = c.out(0).template data<T>();
    c.pool.parallel_for(outer * inner, 4096 / (count + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const int64_t at = k / inner * count * inner + k % inner;
        line(from + at, to + at, count, inner);
      }
    });
  };
  if (x.dtype == DType::f64) run(static_cast<double*>(nullptr));
  else run(static_cast<float*>(nullptr));
  return {};
}

}  // namespace burnish
