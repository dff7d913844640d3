#include "ops/fail.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) {
  const FailAttrs& attrs = c.attrs<FailAttrs>();
  c.out(0, attrs.dtype, attrs.shape);
  return {};
}

Result<> eval(EvalCtx& c) {
  return Error(Code::invalid_argument,
               "this input takes a branch that the model cannot run: " + c.attrs<FailAttrs>().message);
}

}  // namespace

// Stands for a branch that no data can make right: reaching it is the error. Never constant.
extern const OpDef op_fail;
const OpDef op_fail = {.name = "Fail", .attrs = &attr_schema<FailAttrs>, .infer = infer, .eval = eval};

}  // namespace burnish
