#include "ops/emit.h"

namespace burnish {

namespace {

// x divided by its norm along one axis; where the norm is 0 so is the result.
Result<> import(ImportCtx& c) {
  const int64_t p = TRY(c.integer("p", 2)), axis = TRY(c.integer("axis", -1));
  if (p != 1 && p != 2) return c.error(Code::invalid_model, "p must be 1 or 2, got " + std::to_string(p));
  const ValueId norm = TRY(emit_op(c, p == 1 ? "ReduceL1" : "ReduceL2", {c.input(0)},
                                   {{"axes", std::vector<int64_t>{axis}}, {"keepdims", true}}));
  const ValueId zero = c.constant_real(0, c.type(0).dtype), one = c.constant_real(1, c.type(0).dtype);
  const ValueId is_zero = TRY(emit_op(c, "Equal", {norm, zero}));
  c.bind(0, TRY(emit_op(c, "Div", {c.input(0), TRY(emit_op(c, "Where", {is_zero, one, norm}))})));
  return {};
}

}  // namespace

extern const OpDef op_lp_normalization;
const OpDef op_lp_normalization = {.name = "LpNormalization", .import = import};

}  // namespace burnish
