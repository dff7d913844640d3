#include "ir/device_text.h"
#include "ops/elements.h"
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
  const auto in_full = [&](ValueId v, DType type) -> Result<ValueId> {
    return type == DType::f32 ? v : emit_op(c, "Cast", {v}, {{"to", DType::f32}});
  };
  const ValueId x = is_float(c.type(0).dtype) ? c.input(0) : TRY(in_full(c.input(0), c.type(0).dtype)),
                scale = TRY(in_full(TRY(along_quantized(c, c.input(1))), c.type(1).dtype)),
                zero = c.has_input(2) ? TRY(along_quantized(c, c.input(2)))
                                      : c.constant(Tensor::zeros(attrs.output_dtype, {}));
  c.bind(0, TRY(c.emit("QuantizeLinear", attrs, {x, scale, zero})));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  const DType x = c.in(0).dtype, scale = c.in(1).dtype, to = c.attrs<QuantizeLinearAttrs>().output_dtype;
  if (!is_float(x) || x == DType::f64) return c.error("does not quantize " + std::string(name_of(x)));
  if (scale != DType::f32) return c.error("the scale is " + std::string(name_of(scale)) + ", not f32");
  if (c.in(2).dtype != to || !is_quantized(to))
    return c.error("the zero point is " + std::string(name_of(c.in(2).dtype)) + ", the result " +
                   std::string(name_of(to)));
  c.out(0, to, TRY(c.broadcast(TRY(c.broadcast(c.shape(0), c.shape(1))), c.shape(2))));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView& y = c.out(0);
  StridedLoop loop = broadcast_loop(c, 3);
  return visit_arithmetic(y.dtype, [&]<class T>(T*) {
    if constexpr (std::is_integral_v<T> && sizeof(T) <= 2) {
      const int64_t step[] = {loop.strides[0].back(), loop.strides[1].back(), loop.strides[2].back()};
      loop.run<4>(c.pool, [&](const int64_t (&at)[4], int64_t begin, int64_t end) {
        for (int64_t k = begin; k < end; ++k)
          y.data<T>()[at[3] + k] = prim::quantize<T>(c.in(0).data<float>()[at[0] + k * step[0]],
                                                     c.in(1).data<float>()[at[1] + k * step[1]],
                                                     c.in(2).data<T>()[at[2] + k * step[2]]);
      });
    }
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
