#include "ops/normalize.h"

namespace burnish {

namespace {

// x / (bias + alpha / size * Σ of squares over `size` neighbouring channels) ^ beta.
struct LrnAttrs {
  float alpha = 1e-4f, beta = 0.75f, bias = 1;
  int64_t size = 1;
  BURNISH_REFLECT(LrnAttrs, alpha, beta, bias, size)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  TRY(expect_float(c));
  if (c.rank(0) < 2)
    return c.error("the input must have a batch and a channel axis, got shape " + c.dims.text(c.shape(0)));
  if (c.attrs<LrnAttrs>().size < 1)
    return c.error("size must be positive, got " + std::to_string(c.attrs<LrnAttrs>().size));
  c.out(0, c.in(0));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView& x = c.in(0);
  const LrnAttrs& attrs = c.attrs<LrnAttrs>();
  const int64_t channels = x.shape[1], planes = x.shape[0] * channels,
                inner = planes == 0 ? 0 : x.count() / planes;
  const double alpha = static_cast<double>(attrs.alpha) / static_cast<double>(attrs.size);
  visit_float(x.dtype, [&]<class T>(T*) {
    c.pool.parallel_for(planes, (1 << 12) / (inner + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t plane = begin; plane < end; ++plane) {
        const int64_t channel = plane % channels,
                      first = std::max<int64_t>(0, channel - (attrs.size - 1) / 2);
        const int64_t last = std::min(channels - 1, channel + attrs.size / 2);
        const T* from = x.data<T>() + plane * inner;
        T* to = c.out(0).template data<T>() + plane * inner;
        for (int64_t i = 0; i < inner; ++i) {
          double sum = 0;
          for (int64_t k = first - channel; k <= last - channel; ++k)
            sum += static_cast<double>(from[k * inner + i]) * from[k * inner + i];
          to[i] = static_cast<T>(from[i] / std::pow(static_cast<double>(attrs.bias) + alpha * sum,
                                                    static_cast<double>(attrs.beta)));
        }
      }
    });
  });
  return {};
}

}  // namespace

extern const OpDef op_lrn;
const OpDef op_lrn = {.name = "LRN", .attrs = &attr_schema<LrnAttrs>, .infer = infer, .eval = eval};

}  // namespace burnish
