#include "ops/instance_normalization/instance_normalization.h"

#include "ops/instance_normalization/instance_normalization_kernel.h"
#include "ops/normalize.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  TRY(expect_float(c));
  if (c.rank(0) < 2)
    return c.error("the input must have a batch and a channel axis, got shape " + c.dims.text(c.shape(0)));
  TRY(expect_vector(c, 1, c.shape(0)[1], "scale"));
  TRY(expect_vector(c, 2, c.shape(0)[1], "bias"));
  c.out(0, c.in(0));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView& x = c.in(0);
  const int64_t channels = x.shape[1], planes = x.shape[0] * channels,
                inner = planes == 0 ? 0 : x.count() / planes;
  const double epsilon = static_cast<double>(c.attrs<InstanceNormalizationAttrs>().epsilon);
  visit_float(x.dtype, [&]<class T>(T*) {
    c.pool.parallel_for(planes, (1 << 13) / (inner + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) {
        const T* from = x.data<T>() + plane * inner;
        T* to = c.out(0).template data<T>() + plane * inner;
        const Moments m = moments_of(from, inner);
        const double scale = c.in(1).template data<T>()[plane % channels] / std::sqrt(m.variance + epsilon);
        const double bias = c.in(2).template data<T>()[plane % channels];
        for (int64_t i = 0; i < inner; ++i) to[i] = static_cast<T>((from[i] - m.mean) * scale + bias);
      }
    });
  });
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  return InstanceNormalizationKernel(ctx, ctx.in(0).shape[1], ctx.attrs<InstanceNormalizationAttrs>().epsilon)
      .run();
}

}  // namespace

extern const OpDef op_instance_normalization;
const OpDef op_instance_normalization = {.name = "InstanceNormalization",
                                         .attrs = &attr_schema<InstanceNormalizationAttrs>,
                                         .infer = infer,
                                         .eval = eval,
                                         .kernel = kernel,
                                         .keeps_order = true,
                                         .epilogue = true};

}  // namespace burnish
