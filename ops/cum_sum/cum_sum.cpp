#include "ops/elements.h"
#include "ops/kernel_axes.h"

namespace burnish {

namespace {

/// `exclusive`: element i is the sum of those before it. `reverse`: from the end of the axis.
struct CumSumAttrs {
  int64_t axis = 0;
  bool exclusive = false, reverse = false;
  BURNISH_REFLECT(CumSumAttrs, axis, exclusive, reverse)
};

Result<> import(ImportCtx& c) {
  const std::vector<int64_t> axis = TRY(constant_operand(c, 1, "the axis"));
  if (axis.size() != 1)
    return c.error(Code::invalid_model, "takes one axis, got " + std::to_string(axis.size()));
  const CumSumAttrs attrs{axis[0], TRY(c.integer("exclusive", 0)) != 0, TRY(c.integer("reverse", 0)) != 0};
  c.bind(0, TRY(c.emit("CumSum", attrs, {c.input(0)})));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  CumSumAttrs attrs = c.attrs<CumSumAttrs>();
  attrs.axis = TRY(c.axis(attrs.axis, c.rank(0)));
  if (attrs.axis != c.attrs<CumSumAttrs>().axis) c.node.attrs = attrs;
  if (c.in(0).dtype == DType::boolean) return c.error("is not defined on bool");
  c.out(0, c.in(0));
  return {};
}

Result<> eval(EvalCtx& c) {
  const auto& attrs = c.attrs<CumSumAttrs>();
  const Around around(c.in(0).shape, attrs.axis);
  return visit_arithmetic(c.in(0).dtype, [&]<class T>(T*) {
    using A = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
    c.pool.parallel_for(
        around.outer * around.inner, 8192 / (around.extent + 1) + 1, [&](int64_t begin, int64_t end) {
          for (int64_t line = begin; line < end; ++line) {
            const int64_t at = line / around.inner * around.extent * around.inner + line % around.inner;
            A sum = 0;
            for (int64_t k = 0; k < around.extent; ++k) {
              const int64_t i = at + (attrs.reverse ? around.extent - 1 - k : k) * around.inner;
              const A x = static_cast<A>(c.in(0).data<T>()[i]);
              c.out(0).data<T>()[i] = static_cast<T>(attrs.exclusive ? sum : sum + x);
              sum += x;
            }
          }
        });
  });
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const auto& attrs = ctx.attrs<CumSumAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis);
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
  KernelAxes all(2);
  for (size_t a = 0; a < x.size(); ++a)
    if (a != axis) all.add(ctx.in(0).shape[a], {x[a], y[a]});
  const KernelAxes lines = collapsed(dims, in_memory_order(ctx, all, 0));
  const Dim length = ctx.in(0).shape[axis], count = dims.product(lines.extents);
  // Lines that lie side by side are summed side by side, a thread each, where there are enough of them.
  const bool apart = !dims.is_constant(x[axis], 1) && ctx.usual(count) >= 256;
  const int64_t team = apart ? 1 : std::clamp<int64_t>(power_of_two_from(ctx.usual(length) / 4), 1, 256);
  const int threads = static_cast<int>(std::max<int64_t>(team, team > 32 ? 1 : 128));
  KernelCall call{.headers = {"ops/cum_sum/cum_sum.cuh"}};
  set_launch(dims, call, count, team > 32 ? 1 : threads / team, threads);
  call.body << "cum_sum<" << (attrs.exclusive ? "true, " : "false, ")
            << (attrs.reverse ? "true, " : "false, ") << std::to_string(team) << ">(" << ctx.in_pointer(0)
            << ", " << ctx.out_pointer(0) << ", " << dims_text(lines.extents, index_type(dims, count)) << ", "
            << dims_text(lines.strides[0]) << ", " << dims_text(lines.strides[1]) << ", " << length << ", "
            << x[axis] << ", " << y[axis] << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_cum_sum;
const OpDef op_cum_sum = {.name = "CumSum",
                          .attrs = &attr_schema<CumSumAttrs>,
                          .import = import,
                          .infer = infer,
                          .eval = eval,
                          .kernel = kernel};

}  // namespace burnish
