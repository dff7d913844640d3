#pragma once

#include "ops/elements.h"
#include "ops/kernel_axes.h"

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
    c.pool.parallel_for(
        around.outer * around.inner, 8192 / around.extent + 1, [&](int64_t begin, int64_t end) {
          for (int64_t line = begin; line < end; ++line) {
            const T* x =
                c.in(0).data<T>() + line / around.inner * around.extent * around.inner + line % around.inner;
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

template <bool greatest>
Verdict arg_extremum_kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const auto& attrs = ctx.attrs<ArgExtremumAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis);
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
  KernelAxes all(2);
  for (size_t a = 0; a < x.size(); ++a)
    if (a != axis) all.add(ctx.in(0).shape[a], {x[a], y[a < axis || attrs.keepdims ? a : a - 1]});
  const KernelAxes lines = collapsed(dims, in_memory_order(ctx, all, 0));
  const Dim length = ctx.in(0).shape[axis], count = dims.product(lines.extents);
  const bool apart =
      lines.rank() > 0 && dims.is_constant(lines.strides[0].back(), 1) && !dims.is_constant(x[axis], 1);
  const RowTeam team(ctx, length, apart && ctx.usual(count) >= 1024);
  KernelCall call{.headers = {"ops/arg_max/arg_max.cuh"}};
  team.set_rows(dims, call, count);
  call.body << "arg_max<" << (greatest ? "false, " : "true, ")
            << (attrs.select_last_index ? "true, " : "false, ") << std::to_string(team.team) << ">("
            << ctx.in_pointer(0) << ", " << ctx.out_pointer(0) << ", "
            << dims_text(lines.extents, index_type(dims, count)) << ", " << dims_text(lines.strides[0])
            << ", " << dims_text(lines.strides[1]) << ", " << length << ", " << x[axis] << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace burnish
