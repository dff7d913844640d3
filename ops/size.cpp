#include "ops/elements.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  c.out(0, DType::i64, {});
  c.out_content(0, {c.dims.product(c.shape(0))});
  return {};
}

Result<> eval(EvalCtx& c) {
  *c.out(0).data<int64_t>() = c.in(0).count();
  return {};
}

}  // namespace

extern const OpDef op_size;
const OpDef op_size = {.name = "Size", .infer = infer, .eval = eval};

}  // namespace burnish
