#pragma once

#include "ops/elements.h"

namespace burnish {

/// Attributes of ArgMax and ArgMin.
struct ArgExtremumAttrs {
  int64_t axis = 0;
  bool keepdims = true, select_last_index = false;
  BURNISH_REFLECT(ArgExtremumAttrs, axis, keepdims, select_last_index)
};

inline Result<> infer_arg_extremum(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  ArgExtremumAttrs attrs = c.attrs<ArgExtremumAttrs>();
  attrs.axis = TRY(c.axis(attrs.axis, c.rank(0)));
  if (attrs.axis != c.attrs<ArgExtremumAttrs>().axis) c.node.attrs = attrs;
  if (c.in(0).dtype == DType::boolean) return c.error("is not defined on bool");
  std::vector<Dim> shape = c.shape(0);
  if (c.dims.is_constant(shape[static_cast<size_t>(attrs.axis)], 0))
    return c.error("axis " + std::to_string(attrs.axis) + " has extent 0");
  if (attrs.keepdims) shape[static_cast<size_t>(attrs.axis)] = c.dims.constant(1);
  else shape.erase(shape.begin() + attrs.axis);
  c.out(0, DType::i64, std::move(shape));
  return {};
}

/// Index of the greatest (or least) element of each line along the axis; a NaN is greatest and least.
template <bool greatest>
Result<> eval_arg_extremum(EvalCtx& c) {
  const auto& attrs = c.attrs<ArgExtremumAttrs>();
  const Around around(c.in(0).shape, attrs.axis);
  if (around.extent == 0) return c.error("the axis has extent 0");
  return visit_arithmetic(c.in(0).dtype, [&]<class T>(T*) {
    c.pool.parallel_for(around.outer * around.inner, 8192 / around.extent + 1, [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) {
        const T* x = c.in(0).data<T>() + line / around.inner * around.extent * around.inner + line % around.inner;
        int64_t best = 0;
        for (int64_t i = 1; i < around.extent; ++i) {
          const T a = x[i * around.inner], b = x[best * around.inner];
          const bool same = a == b || (a != a && b != b);
          const bool better = b == b && (a != a || (greatest ? a > b : a < b));
          if (better || (same && attrs.select_last_index)) best = i;
        }
        c.out(0).data<int64_t>()[line] = best;
      }
    });
  });
}

}  // namespace burnish
