#include "ops/variadic.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  const ValueId sum = TRY(emit_chain(c, "Add"));
  const ValueId count = c.constant_real(static_cast<float>(c.input_count()), c.type(0).dtype);
  c.bind(0, c.input_count() == 1 ? sum : TRY(c.emit("Div", {}, {sum, count})));
  return {};
}

}  // namespace

extern const OpDef op_mean;
const OpDef op_mean = {.name = "Mean", .import = import};

}  // namespace burnish
