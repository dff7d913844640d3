#include "ops/variadic.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  c.bind(0, TRY(emit_chain(c, "Add")));
  return {};
}

}  // namespace

extern const OpDef op_sum;
const OpDef op_sum = {.name = "Sum", .import = import};

}  // namespace burnish
