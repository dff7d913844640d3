#include "ops/pool.h"
#include "ops/pool_kernel.h"

namespace burnish {

namespace {

template <class T>
void run(EvalCtx& c) {
  const PoolAttrs& attrs = c.attrs<PoolAttrs>();
  const TensorView& x = c.in(0);
  const Window w = window_of(attrs, x.shape, c.out(0).shape, attrs.kernel_shape);
  T* y = c.out(0).data<T>();
  for_each_window(c.pool, w, x.shape[0] * x.shape[1],
                  [&](int64_t plane, int64_t out, int64_t d, int64_t h, int64_t o) {
                    const T* from = x.data<T>() + plane * in_count(w);
                    T sum = 0;
                    int64_t count = 0;
                    for_each_tap(w, taps_inside(w, d, h, o), d, h, o, [&](int64_t at) {
                      sum += from[at];
                      ++count;
                    });
                    if (attrs.count_include_pad) count = padded_taps(w, d, h, o);
                    y[out] = count == 0 ? T(0) : sum / static_cast<T>(count);
                  });
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  if (!is_float(c.in(0).dtype)) return c.error("is not defined on " + std::string(name_of(c.in(0).dtype)));
  return infer_pool(c);
}

Result<> eval(EvalCtx& c) {
  if (c.in(0).dtype == DType::f64) run<double>(c);
  else run<float>(c);
  return {};
}

Verdict kernel(KernelCtx& ctx) { return pool_kernel(ctx, true); }

}  // namespace

extern const OpDef op_average_pool;
const OpDef op_average_pool = {.name = "AveragePool",
                               .attrs = &attr_schema<PoolAttrs>,
                               .import = import_pool,
                               .infer = infer,
                               .eval = eval,
                               .kernel = kernel,
                               .keeps_order = true};

}  // namespace burnish
