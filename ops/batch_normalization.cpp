#include "ops/batch_normalization.h"

#include "ops/normalize.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  bool training = TRY(c.integer("training_mode", 0)) != 0;
  for (size_t i = 1; i < c.output_count(); ++i) training = training || c.wants_output(i);
  if (training)
    return c.error(Code::unsupported, "training mode is not supported")
        .remedy("export the model in evaluation mode");
  if (TRY(c.integer("spatial", 1)) == 0)
    return c.error(Code::unsupported, "spatial=0 is not supported")
        .remedy("export the model with opset 9 or newer");
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < c.input_count(); ++i) inputs.push_back(c.input(i));
  c.bind(0, TRY(c.emit("BatchNormalization", BatchNormalizationAttrs{TRY(c.real("epsilon", 1e-5f))},
                       std::move(inputs))));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(5, 5));
  TRY(expect_float(c));
  if (c.rank(0) < 1) return c.error("the input must have a batch axis");
  const Dim channels = c.rank(0) > 1 ? c.shape(0)[1] : c.dims.constant(1);
  for (size_t i = 1; i < 5; ++i) {
    if (c.rank(i) != 1 || !is_float(c.in(i).dtype))
      return c.error("operand " + std::to_string(i) + " must be one axis of floats, got shape " +
                     c.dims.text(c.shape(i)));
    TRY(c.unify(c.shape(i)[0], channels, "scale, bias, mean and variance must have one element per channel"));
  }
  c.out(0, c.in(0));
  return {};
}

// The statistics may be of a wider or narrower type than the input.
double element(const TensorView& x, int64_t i) {
  return x.dtype == DType::f64 ? x.data<double>()[i] : static_cast<double>(x.data<float>()[i]);
}

Result<> eval(EvalCtx& c) {
  const TensorView& x = c.in(0);
  const int64_t channels = x.rank() > 1 ? x.shape[1] : 1;
  const int64_t planes = x.shape[0] * channels, inner = planes == 0 ? 0 : x.count() / planes;
  const double epsilon = static_cast<double>(c.attrs<BatchNormalizationAttrs>().epsilon);
  visit_float(x.dtype, [&]<class T>(T*) {
    c.pool.parallel_for(planes, (1 << 14) / (inner + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) {
        const int64_t channel = plane % channels;
        const double scale = element(c.in(1), channel) / std::sqrt(element(c.in(4), channel) + epsilon);
        const T a = static_cast<T>(scale),
                b = static_cast<T>(element(c.in(2), channel) - element(c.in(3), channel) * scale);
        const T* from = x.data<T>() + plane * inner;
        T* to = c.out(0).template data<T>() + plane * inner;
        for (int64_t i = 0; i < inner; ++i) to[i] = from[i] * a + b;
      }
    });
  });
  return {};
}

}  // namespace

extern const OpDef op_batch_normalization;
const OpDef op_batch_normalization = {.name = "BatchNormalization",
                                      .attrs = &attr_schema<BatchNormalizationAttrs>,
                                      .import = import,
                                      .infer = infer,
                                      .eval = eval,
                                      .keeps_order = true};

}  // namespace burnish
