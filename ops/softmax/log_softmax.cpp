#include <cmath>

#include "ops/along_axis.h"
#include "ops/softmax/softmax_kernel.h"

namespace burnish {

namespace {

Result<> eval(EvalCtx& c) {
  return for_each_line(c, c.attrs<AlongAxisAttrs>().axis,
                       []<class T>(const T* x, T* y, int64_t count, int64_t step) {
                         T most = -std::numeric_limits<T>::infinity();
                         for (int64_t i = 0; i < count; ++i) most = std::max(most, x[i * step]);
                         double sum = 0;
                         for (int64_t i = 0; i < count; ++i) sum += std::exp(x[i * step] - most);
                         const T logarithm = static_cast<T>(std::log(sum));
                         for (int64_t i = 0; i < count; ++i) y[i * step] = x[i * step] - most - logarithm;
                       });
}

Verdict kernel(KernelCtx& ctx) { return softmax_kernel(ctx, ctx.attrs<AlongAxisAttrs>().axis, true); }

}  // namespace

extern const OpDef op_log_softmax;
const OpDef op_log_softmax = {
    .name = "LogSoftmax",
    .attrs = &attr_schema<AlongAxisAttrs>,
    .import = import_along_axis,
    .infer = infer_along_axis,
    .eval = eval,
    .kernel = kernel,
    .keeps_order = true,
    .epilogue = true,
    .readings = softmax_readings,
};

}  // namespace burnish
