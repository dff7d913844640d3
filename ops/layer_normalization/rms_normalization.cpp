#include "ops/layer_normalization/layer_normalization.h"
#include "ops/layer_normalization/layer_normalization_kernel.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) { return infer_layer_normalization(c, 2); }

template <class T>
void run(EvalCtx& c) {
  const TensorView& x = c.in(0);
  const LayerNormalizationAttrs& attrs = c.attrs<LayerNormalizationAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis < 0 ? attrs.axis + x.rank() : attrs.axis);
  const std::span<const int64_t> tail = std::span(x.shape).subspan(axis);
  const int64_t count = element_count(tail), rows = element_count(std::span(x.shape).first(axis));
  const std::vector<T> scale = broadcast_to_tail<T>(c.in(1), tail);
  c.pool.parallel_for(rows, (1 << 13) / (count + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* from = x.data<T>() + row * count;
      double sum = 0;
      for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(from[i]) * from[i];
      const double inverse =
          1 / std::sqrt(sum / static_cast<double>(count) + static_cast<double>(attrs.epsilon));
      T* to = c.out(0).data<T>() + row * count;
      for (int64_t i = 0; i < count; ++i)
        to[i] = static_cast<T>(from[i] * inverse * scale[static_cast<size_t>(i)]);
    }
  });
}

Result<> eval(EvalCtx& c) {
  visit_float(c.in(0).dtype, [&]<class T>(T*) { run<T>(c); });
  return {};
}

Verdict kernel(KernelCtx& ctx) { return layer_normalization_kernel(ctx, true); }

}  // namespace

extern const OpDef op_rms_normalization;
const OpDef op_rms_normalization = {.name = "RMSNormalization",
                                    .attrs = &attr_schema<LayerNormalizationAttrs>,
                                    .import = import_layer_normalization,
                                    .infer = infer,
                                    .eval = eval,
                                    .kernel = kernel,
                                    .epilogue = true,
                                    .readings = layer_normalization_readings};

}  // namespace burnish
