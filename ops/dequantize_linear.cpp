#include "ir/device_text.h"
#include "ops/quantization.h"

namespace burnish {

namespace {

/// The type of the result.
struct DequantizeLinearAttrs {
  DType output_dtype = DType::f32;
  BURNISH_REFLECT(DequantizeLinearAttrs, output_dtype)
};

// Operands in the IR: x, scale in FP32, zero point of x's type. The product is in FP32.
Result<> import(ImportCtx& c) {
  static constexpr std::string_view ignored[] = {"axis", "block_size"};
  DequantizeLinearAttrs attrs =
      TRY(c.attributes(&attr_schema<DequantizeLinearAttrs>, ignored)).as<DequantizeLinearAttrs>();
  if (!c.has_attribute("output_dtype")) attrs.output_dtype = c.type(1).dtype;
  const DType x = c.type(0).dtype;
  const ValueId scale = TRY(quantization_scale(c)), zero = c.has_input(2)
                                                               ? TRY(along_quantized(c, c.input(2)))
                                                               : c.constant(Tensor::zeros(x, {}));
  c.bind(0, TRY(c.emit("DequantizeLinear", attrs, {c.input(0), scale, zero})));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  const DType x = c.in(0).dtype, to = c.attrs<DequantizeLinearAttrs>().output_dtype;
  if (!is_integer(x) || size_of(x) > 4 || x == DType::u32)
    return c.error("does not dequantize " + std::string(name_of(x)));
  if (!is_float(to) || to == DType::f64) return c.error("does not dequantize to " + std::string(name_of(to)));
  return infer_quantization(c, x, to);
}

Result<> eval(EvalCtx& c) {
  return visit_arithmetic(c.in(0).dtype, [&]<class T>(T*) {
    if constexpr (std::is_integral_v<T> && sizeof(T) <= 4)
      eval_quantization<T, float>(c,
                                  [](T x, float scale, T zero) { return prim::dequantize(x, scale, zero); });
  });
}

std::string scalar(const Attrs&, std::span<const std::string> x) {
  return "prim::dequantize(" + x[0] + ", " + x[1] + ", " + x[2] + ")";
}

}  // namespace

extern const OpDef op_dequantize_linear;
const OpDef op_dequantize_linear = {.name = "DequantizeLinear",
                                    .attrs = &attr_schema<DequantizeLinearAttrs>,
                                    .import = import,
                                    .infer = infer,
                                    .eval = eval,
                                    .scalar = scalar,
                                    .exact_operands = 0b10,
                                    .keeps_order = true};

}  // namespace burnish
