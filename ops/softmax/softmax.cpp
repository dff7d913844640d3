#include "ops/along_axis.h"
#include "ops/softmax/softmax_kernel.h"
#include "ops/softmax/softmax_line.h"

namespace burnish {

namespace {

Result<> eval(EvalCtx& c) {
  return for_each_line(
      c, c.attrs<AlongAxisAttrs>().axis,
      []<class T>(const T* x, T* y, int64_t count, int64_t step) { softmax_line(x, y, count, step); });
}

Verdict kernel(KernelCtx& ctx) { return softmax_kernel(ctx, ctx.attrs<AlongAxisAttrs>().axis, false); }

}  // namespace

extern const OpDef op_softmax;
const OpDef op_softmax = {
    .name = "Softmax",
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
