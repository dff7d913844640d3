#include "ops/quantization.h"

namespace burnish {

namespace {

/// The result's type, where it is not the scale's.
struct ResultType {
  DType output_dtype = DType::f32;
  BURNISH_REFLECT(ResultType, output_dtype)
};

// (x - zero point) * scale, in FP32, spelled out.
Result<> import(ImportCtx& c) {
  static constexpr std::string_view ignored[] = {"axis", "block_size"};
  DType to = TRY(c.attributes(&attr_schema<ResultType>, ignored)).as<ResultType>().output_dtype;
  if (!c.has_attribute("output_dtype")) to = c.type(1).dtype;
  const auto in_full = [&](ValueId v) -> Result<ValueId> {
    return c.graph().values[v].type.dtype == DType::f32 ? v : emit_op(c, "Cast", {v}, {{"to", DType::f32}});
  };
  ValueId y = TRY(in_full(c.input(0)));
  if (c.has_input(2)) y = TRY(c.emit("Sub", {}, {y, TRY(in_full(TRY(along_quantized(c, c.input(2)))))}));
  y = TRY(c.emit("Mul", {}, {y, TRY(in_full(TRY(along_quantized(c, c.input(1)))))}));
  c.bind(0, to == DType::f32 ? y : TRY(emit_op(c, "Cast", {y}, {{"to", to}})));
  return {};
}

}  // namespace

extern const OpDef op_dequantize_linear;
const OpDef op_dequantize_linear = {.name = "DequantizeLinear", .import = import};

}  // namespace burnish
