#include "ops/emit.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  std::vector<int64_t> axes;
  for (size_t i = 2; i < c.type(0).shape.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  const std::vector<NamedAttribute> reduce{{"axes", axes}, {"keepdims", true}};
  const int64_t p = TRY(c.integer("p", 2));
  if (p < 1) return c.error(Code::invalid_model, "p must be positive, got " + std::to_string(p));
  if (p <= 2) {
    c.bind(0, TRY(emit_op(c, p == 1 ? "ReduceL1" : "ReduceL2", {c.input(0)}, reduce)));
    return {};
  }
  const DType dtype = c.type(0).dtype;
  const ValueId magnitude = TRY(emit_op(c, "Abs", {c.input(0)}));
  const ValueId power = TRY(emit_op(c, "Pow", {magnitude, c.constant_real(static_cast<float>(p), dtype)}));
  const ValueId sum = TRY(emit_op(c, "ReduceSum", {power}, reduce));
  c.bind(0, TRY(emit_op(c, "Pow", {sum, c.constant_real(1 / static_cast<float>(p), dtype)})));
  return {};
}

}  // namespace

extern const OpDef op_global_lp_pool;
const OpDef op_global_lp_pool = {.name = "GlobalLpPool", .import = import};

}  // namespace burnish
