#include "ops/arg_extremum.h"

namespace burnish {

extern const OpDef op_arg_max;
const OpDef op_arg_max = {.name = "ArgMax",
                          .attrs = &attr_schema<ArgExtremumAttrs>,
                          .infer = infer_arg_extremum,
                          .eval = eval_arg_extremum<true>,
                          .kernel = arg_extremum_kernel<true>};

}  // namespace burnish
