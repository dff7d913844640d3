#include "ops/emit.h"

namespace burnish {

namespace {

// (x - mean) / (sqrt(mean((x - mean)²)) + 1e-9); the small number is ONNX's.
Result<> import(ImportCtx& c) {
  std::vector<int64_t> axes = TRY(c.integers("axes"));
  if (axes.empty()) axes = {0, 2, 3};
  const std::vector<NamedAttribute> reduce{{"axes", axes}, {"keepdims", true}};
  const ValueId mean = TRY(emit_op(c, "ReduceMean", {c.input(0)}, reduce));
  const ValueId centred = TRY(emit_op(c, "Sub", {c.input(0), mean}));
  const ValueId square = TRY(emit_op(c, "Mul", {centred, centred}));
  const ValueId deviation = TRY(emit_op(c, "Sqrt", {TRY(emit_op(c, "ReduceMean", {square}, reduce))}));
  const ValueId divisor = TRY(emit_op(c, "Add", {deviation, c.constant_real(1e-9f, c.type(0).dtype)}));
  c.bind(0, TRY(emit_op(c, "Div", {centred, divisor})));
  return {};
}

}  // namespace

extern const OpDef op_mean_variance_normalization;
const OpDef op_mean_variance_normalization = {.name = "MeanVarianceNormalization", .import = import};

}  // namespace burnish
