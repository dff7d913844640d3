#include "ir/device_text.h"
#include "ops/quantization.h"

namespace burnish {

namespace {

/// The type of the result and of the zero point.
struct QuantizeLinearAttrs {
  DType output_dtype = DType::u8;
  BURNISH_REFLECT(QuantizeLinearAttrs, output_dtype)
};

bool is_quantized(DType t) { return is_integer(t) && size_of(t) <= 2; }

// Operands in the IR: x, scale in FP32, zero point. `saturate` speaks of 8-bit floats, and the division is in FP32 whatever
// `precision` allows.
Result<> import(ImportCtx& c) {
  static constexpr std::string_view ignored[] = {"axis", "block_size", "precision", "saturate"};
  QuantizeLinearAttrs attrs =
      TRY(c.attributes(&attr_schema<QuantizeLinearAttrs>, ignored)).as<QuantizeLinearAttrs>();
  if (c.has_input(2)) attrs.output_dtype = c.type(2).dtype;
  if (!is_quantized(attrs.output_dtype))
    return c.error(Code::unsupported, "it quantizes to " + std::string(name_of(attrs.output_dtype)) +
                                          ", not to integers of 8 or 16 bits");
  ValueId x = c.input(0);
  const bool counted = is_integer(c.type(0).dtype);
  const ValueId scale = TRY(quantization_scale(c)),
                zero = c.has_input(2) ? TRY(along_quantized(c, c.input(2)))
                                      : c.constant(Tensor::zeros(attrs.output_dtype, {}));
  if (counted) x = TRY(emit_op(c, "Cast", {x}, {{"to", DType::f32}}));
  c.bind(0, TRY(c.emit("QuantizeLinear", attrs, {x, scale, zero})));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  const DType x = c.in(0).dtype, to = c.attrs<QuantizeLinearAttrs>().output_dtype;
  if (!is_float(x) || x == DType::f64) return c.error("does not quantize " + std::string(name_of(x)));
  if (!is_quantized(to)) return c.error("does not quantize to " + std::string(name_of(to)));
  return infer_quantization(c, to, to);
}

Result<> eval(EvalCtx& c) {
  return visit_arithmetic(c.out(0).dtype, [&]<class T>(T*) {
    if constexpr (std::is_integral_v<T> && sizeof(T) <= 2)
      eval_quantization<float, T>(
          c, [](float x, float scale, T zero) { return prim::quantize<T>(x, scale, zero); });
  });
}

std::string scalar(const Attrs& attrs, std::span<const std::string> x) {
  return "prim::quantize<" + std::string(device_type(attrs.as<QuantizeLinearAttrs>().output_dtype)) + ">(" +
         x[0] + ", " + x[1] + ", " + x[2] + ")";
}

}  // namespace

extern const OpDef op_quantize_linear;
const OpDef op_quantize_linear = {.name = "QuantizeLinear",
                                  .attrs = &attr_schema<QuantizeLinearAttrs>,
                                  .import = import,
                                  .infer = infer,
                                  .eval = eval,
                                  .scalar = scalar,
                                  .exact_operands = 0b10,
                                  .keeps_order = true};

}  // namespace burnish
