#include <cmath>

#include "ops/elements.h"
#include "ops/kernel_axes.h"

namespace burnish {

namespace {

// ceil((limit - start) / delta), at least 0.
template <class T>
int64_t count_of(T start, T limit, T delta) {
  if constexpr (std::is_integral_v<T>) {
    const int64_t distance = static_cast<int64_t>(limit) - start, step = static_cast<int64_t>(delta);
    return std::max<int64_t>(0, -DimTable::apply(DimOp::floor_div, -distance, step, 0));
  } else {
    const double count = std::ceil(static_cast<double>(limit - start) / static_cast<double>(delta));
    return count > 0 ? static_cast<int64_t>(count) : 0;
  }
}

// Integers: by symbols where they are not constants. Floats: constants are left to folding, the rest is found
// when it runs.
Result<std::optional<Dim>> symbolic_count(InferCtx& c) {
  using Nothing = std::optional<Dim>;
  const DType dtype = c.in(0).dtype;
  if (dtype != DType::i64 && dtype != DType::i32) return Nothing();
  const Range any{-DimTable::unbounded, DimTable::unbounded};
  if (!c.content(2)) return Nothing();
  const auto delta = c.dims.value(c.content(2)->front());
  if (!delta) return Nothing();
  if (*delta == 0) return c.error("delta is 0");
  const Dim start = TRY(c.content_or_symbols(0, any)).front(),
            limit = TRY(c.content_or_symbols(1, any)).front();
  const Dim distance = *delta > 0 ? c.dims.sub(limit, start) : c.dims.sub(start, limit);
  const Dim count =
      c.dims.max(c.dims.ceil_div(distance, c.dims.constant(std::abs(*delta))), c.dims.constant(0));
  if (const auto known = c.dims.value(count); known && *known <= 4096) {
    std::vector<Dim> content;
    for (int64_t i = 0; i < *known; ++i) content.push_back(c.dims.add(start, c.dims.constant(i * *delta)));
    c.out_content(0, std::move(content));
  }
  return Nothing(count);
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  for (size_t i = 0; i < 3; ++i) {
    if (c.in(i).dtype != c.in(0).dtype) return c.error("start, limit and delta are of different types");
    if (!c.dims.is_constant(c.dims.product(c.shape(i)), 1))
      return c.error("start, limit and delta must be scalars, one has shape " + c.dims.text(c.shape(i)));
  }
  const DType dtype = c.in(0).dtype;
  if (dtype == DType::boolean) return c.error("is not defined on bool");
  const auto count = TRY(symbolic_count(c));
  c.out(0, dtype, {count ? *count : c.extent_symbol(0, 0, {0, DimTable::unbounded})});
  return {};
}

Result<> eval(EvalCtx& c) {
  Result<> status;
  TRY(visit_arithmetic(c.in(0).dtype, [&]<class T>(T*) {
    const T start = *c.in(0).data<T>(), limit = *c.in(1).data<T>(), delta = *c.in(2).data<T>();
    if (delta == T(0)) {
      status = c.error("delta is 0");
      return;
    }
    auto y = found_extents(c, 0, {count_of(start, limit, delta)});
    if (!y) {
      status = std::move(y).error();
      return;
    }
    for (int64_t i = 0; i < y->count(); ++i)
      y->template data<T>()[i] = static_cast<T>(start + static_cast<T>(i) * delta);
  }));
  return status;
}

Verdict kernel(KernelCtx& ctx) {
  if (!is_integer(ctx.in(0).dtype)) return Verdict::no("only ranges of integers have a device kernel");
  const std::vector<Dim>*start = ctx.content(0), *delta = ctx.content(2);
  if (!start || !delta) return Verdict::no("start and delta are not known before the engine runs");
  const Dim count = ctx.out(0).shape[0];
  KernelCall call{.headers = {"ops/range/range.cuh"}};
  set_launch(ctx.dims, call, count, 256, 256);
  call.body << "range(" << ctx.out_pointer(0) << ", " << count << ", " << ctx.out_strides(0)[0] << ", "
            << start->front() << ", " << delta->front() << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_range;
const OpDef op_range = {.name = "Range",
                        .infer = infer,
                        .eval = eval,
                        .kernel = kernel,
                        .content_operands = 0b111,
                        .keeps_f32 = true};

}  // namespace burnish
