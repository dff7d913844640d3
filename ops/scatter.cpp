#include "ops/emit.h"

namespace burnish {

namespace {

// The name of ScatterElements before opset 11.
Result<> import(ImportCtx& c) {
  c.bind(0, TRY(emit_op(c, "ScatterElements", {c.input(0), c.input(1), c.input(2)},
                        {{"axis", TRY(c.integer("axis", 0))}})));
  return {};
}

}  // namespace

extern const OpDef op_scatter;
const OpDef op_scatter = {.name = "Scatter", .import = import};

}  // namespace burnish
