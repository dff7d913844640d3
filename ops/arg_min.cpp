#include "ops/arg_extremum.h"

namespace burnish {

extern const OpDef op_arg_min;
const OpDef op_arg_min = {.name = "ArgMin",
                          .attrs = &attr_schema<ArgExtremumAttrs>,
                          .infer = infer_arg_extremum,
                          .eval = eval_arg_extremum<false>,
                          .kernel = arg_extremum_kernel<false>};

}  // namespace burnish
