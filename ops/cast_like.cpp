#include "ops/emit.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  c.bind(0, TRY(emit_op(c, "Cast", {c.input(0)}, {{"to", c.type(1).dtype}})));
  return {};
}

}  // namespace

extern const OpDef op_cast_like;
const OpDef op_cast_like = {.name = "CastLike", .import = import};

}  // namespace burnish
