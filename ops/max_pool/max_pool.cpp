#include <limits>

#include "ir/element.h"
#include "ops/pool.h"
#include "ops/pool_kernel.h"

namespace burnish {

namespace {

// Index of element `at` of a plane in the order that the node asks for.
int64_t index_in_plane(const Window& w, int64_t at, bool column_major) {
  if (!column_major) return at;
  const int64_t d = at / (w[1].in * w[2].in), h = at / w[2].in % w[1].in, o = at % w[2].in;
  return (d * w[2].in + o) * w[1].in + h;
}

template <class T>
void run(EvalCtx& c) {
  const PoolAttrs& attrs = c.attrs<PoolAttrs>();
  const TensorView& x = c.in(0);
  const Window w = window_of(attrs, x.shape, (c.wants(0) ? c.out(0) : c.out(1)).shape, attrs.kernel_shape);
  T* y = c.wants(0) ? c.out(0).data<T>() : nullptr;
  int64_t* indices = c.wants(1) ? c.out(1).data<int64_t>() : nullptr;
  const int64_t plane_size = in_count(w);
  for_each_window(
      c.pool, w, x.shape[0] * x.shape[1], [&](int64_t plane, int64_t out, int64_t d, int64_t h, int64_t o) {
        const T* from = x.data<T>() + plane * plane_size;
        T most = std::numeric_limits<T>::lowest();
        int64_t where = -1;
        for_each_tap(w, taps_inside(w, d, h, o), d, h, o, [&](int64_t at) {
          const T v = from[at];
          if (where < 0 || v > most || (v != v && most == most)) {  // NaN wins
            most = v;
            where = at;
          }
        });
        if (y) y[out] = most;
        if (indices)
          indices[out] =
              where < 0 ? -1 : plane * plane_size + index_in_plane(w, where, attrs.storage_order != 0);
      });
}

Result<> eval(EvalCtx& c) {
  return visit_storage(c.in(0).dtype, [&]<class T>(T*) -> Result<> {
    if constexpr (std::is_arithmetic_v<T>) {
      run<T>(c);
      return {};
    } else {
      return c.error("is not defined on " + std::string(name_of(c.in(0).dtype)));
    }
  });
}

Verdict kernel(KernelCtx& ctx) { return pool_kernel(ctx, false); }

}  // namespace

extern const OpDef op_max_pool;
const OpDef op_max_pool = {.name = "MaxPool",
                           .attrs = &attr_schema<PoolAttrs>,
                           .import = import_pool,
                           .infer = infer_pool,
                           .eval = eval,
                           .kernel = kernel,
                           .keeps_order = true};

}  // namespace burnish
