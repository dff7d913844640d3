#include <cmath>

#include "ops/along_axis.h"

namespace burnish {

namespace {

Result<> eval(EvalCtx& c) {
  return for_each_line(c, c.attrs<AlongAxisAttrs>().axis,
                       []<class T>(const T* x, T* y, int64_t count, int64_t step) {
                         int64_t first = 0;
                         for (int64_t i = 1; i < count; ++i)
                           if (x[i * step] > x[first * step]) first = i;
                         for (int64_t i = 0; i < count; ++i) y[i * step] = i == first ? T(1) : T(0);
                       });
}

}  // namespace

extern const OpDef op_hardmax;
const OpDef op_hardmax = {
    .name = "Hardmax",
    .attrs = &attr_schema<AlongAxisAttrs>,
    .import = import_along_axis,
    .infer = infer_along_axis,
    .eval = eval,
};

}  // namespace burnish
