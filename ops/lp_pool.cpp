#include <cmath>

#include "ops/pool.h"

namespace burnish {

namespace {

template <class T>
void run(EvalCtx& c) {
  const PoolAttrs& attrs = c.attrs<PoolAttrs>();
  const TensorView& x = c.in(0);
  const Window w = window_of(attrs, x.shape, c.out(0).shape, attrs.kernel_shape);
  const double p = static_cast<double>(attrs.p);
  for_each_window(
      c.pool, w, x.shape[0] * x.shape[1], [&](int64_t plane, int64_t out, int64_t d, int64_t h, int64_t o) {
        const T* from = x.data<T>() + plane * in_count(w);
        double sum = 0;
        for_each_tap(w, taps_inside(w, d, h, o), d, h, o,
                     [&](int64_t at) { sum += std::pow(std::abs(static_cast<double>(from[at])), p); });
        c.out(0).data<T>()[out] = static_cast<T>(std::pow(sum, 1 / p));
      });
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  if (!is_float(c.in(0).dtype)) return c.error("is not defined on " + std::string(name_of(c.in(0).dtype)));
  if (c.attrs<PoolAttrs>().p < 1)
    return c.error("p must be positive, got " + std::to_string(c.attrs<PoolAttrs>().p));
  return infer_pool(c);
}

Result<> eval(EvalCtx& c) {
  if (c.in(0).dtype == DType::f64) run<double>(c);
  else run<float>(c);
  return {};
}

}  // namespace

extern const OpDef op_lp_pool;
const OpDef op_lp_pool = {.name = "LpPool",
                          .attrs = &attr_schema<PoolAttrs>,
                          .import = import_pool,
                          .infer = infer,
                          .eval = eval,
                          .keeps_order = true};

}  // namespace burnish
