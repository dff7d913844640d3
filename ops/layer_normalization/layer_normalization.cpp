#include <numeric>

#include "ops/elements.h"
#include "ops/layer_normalization/layer_normalization.h"
#include "ops/layer_normalization/layer_normalization_kernel.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) { return infer_layer_normalization(c, 4); }

/// The rows to normalise, by number.
Result<std::vector<int64_t>> rows_of(EvalCtx& c, size_t axis) {
  const Shape& shape = c.in(0).shape;
  std::vector<int64_t> rows(static_cast<size_t>(element_count(std::span(shape).first(axis))));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  if (!c.has(3)) return rows;
  const int64_t extent = shape[axis - 1];
  const std::vector<int64_t> picks = integers_of(c.in(3));
  std::vector<int64_t> picked;
  for (int64_t first = 0; first < std::ssize(rows); first += extent)
    for (int64_t index : picks) picked.push_back(first + TRY(checked_index(c, index, extent)));
  return picked;
}

template <class T>
Result<> run(EvalCtx& c) {
  const TensorView& x = c.in(0);
  const LayerNormalizationAttrs& attrs = c.attrs<LayerNormalizationAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis < 0 ? attrs.axis + x.rank() : attrs.axis);
  const std::span<const int64_t> tail = std::span(x.shape).subspan(axis);
  const std::vector<int64_t> rows = TRY(rows_of(c, axis));
  const int64_t count = element_count(tail);
  const std::vector<T> scale = broadcast_to_tail<T>(c.in(1), tail);
  const std::vector<T> bias = c.has(2) ? broadcast_to_tail<T>(c.in(2), tail) : std::vector<T>(scale.size());
  c.pool.parallel_for(std::ssize(rows), (1 << 13) / (count + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* from = x.data<T>() + rows[static_cast<size_t>(row)] * count;
      const Moments m = moments_of(from, count);
      const double inverse = 1 / std::sqrt(m.variance + static_cast<double>(attrs.epsilon));
      if (c.wants(0)) {
        T* to = c.out(0).data<T>() + row * count;
        for (int64_t i = 0; i < count; ++i) {
          const auto k = static_cast<size_t>(i);
          to[i] = static_cast<T>((from[i] - m.mean) * inverse * scale[k] + bias[k]);
        }
      }
      if (c.wants(1)) c.out(1).data<T>()[row] = static_cast<T>(m.mean);
      if (c.wants(2)) c.out(2).data<T>()[row] = static_cast<T>(inverse);
    }
  });
  return {};
}

Result<> eval(EvalCtx& c) { return c.in(0).dtype == DType::f64 ? run<double>(c) : run<float>(c); }

Verdict kernel(KernelCtx& ctx) { return layer_normalization_kernel(ctx, false); }

}  // namespace

extern const OpDef op_layer_normalization;
const OpDef op_layer_normalization = {.name = "LayerNormalization",
                                      .attrs = &attr_schema<LayerNormalizationAttrs>,
                                      .import = import_layer_normalization,
                                      .infer = infer,
                                      .eval = eval,
                                      .kernel = kernel,
                                      .epilogue = true,
                                      .readings = layer_normalization_readings};

}  // namespace burnish
