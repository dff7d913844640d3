#pragma once

#include "ops/emit.h"
#include "ops/window.h"

namespace burnish {

/// x [N, C, D1, …]; see ops/window.h.
struct PoolAttrs {
  std::vector<int64_t> kernel_shape, strides, dilations, pads;
  std::string auto_pad = "NOTSET";
  bool ceil_mode = false;
  bool count_include_pad = false;  // AveragePool, LpPool
  int64_t storage_order = 0;       // MaxPool's indices: 0 row-major, 1 column-major within a plane
  int64_t p = 2;                   // LpPool
  BURNISH_REFLECT(PoolAttrs, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode, count_include_pad,
                  storage_order, p)
};

inline Result<> import_pool(ImportCtx& c) {
  const bool indices = c.output_count() > 1 && c.wants_output(1);
  auto outputs =
      TRY(c.emit(c.op_type(), TRY(c.attributes(&attr_schema<PoolAttrs>)), {c.input(0)}, indices ? 2 : 1));
  for (size_t i = 0; i < outputs.size(); ++i) c.bind(i, outputs[i]);
  return {};
}

inline Result<> infer_pool(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  const PoolAttrs attrs = c.attrs<PoolAttrs>();
  if (c.rank(0) < 3)
    return c.error("an input of batch, channels and spatial axes is expected, got shape " +
                   c.dims.text(c.shape(0)));
  std::vector<Dim> shape{c.shape(0)[0], c.shape(0)[1]};
  for (Dim extent : TRY(infer_window(c, attrs, attrs.kernel_shape, attrs.ceil_mode))) shape.push_back(extent);
  c.out(0, c.in(0).dtype, shape);
  if (c.output_count() > 1) c.out(1, DType::i64, std::move(shape));
  return {};
}

/// The taps [first, last) of window o that lie in [low, high).
inline std::array<int64_t, 2> taps_within(const WindowAxis& a, int64_t o, int64_t low, int64_t high) {
  const int64_t start = a.at(o, 0);
  const int64_t first = start >= low ? 0 : (low - start + a.dilation - 1) / a.dilation;
  const int64_t last = high <= start ? 0 : (high - start + a.dilation - 1) / a.dilation;
  return {std::min(first, a.kernel), std::clamp(last, std::min(first, a.kernel), a.kernel)};
}

/// Calls window(plane, out_index, d, h, w) for every window, `plane` counting batch times channels; d, h, w are the positions.
template <class F>
void for_each_window(ThreadPool& pool, const Window& w, int64_t planes, const F& window) {
  const int64_t rows = w[0].out * w[1].out;
  pool.parallel_for(planes * rows, 4096 / (w[2].out * tap_count(w) + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      for (int64_t o = 0; o < w[2].out; ++o)
        window(row / rows, row * w[2].out + o, row % rows / w[1].out, row % w[1].out, o);
  });
}

/// Calls tap(index in the plane) for the taps of window (d, h, w) that lie inside the input, in row-major order.
template <class F>
void for_each_tap(const Window& w, const std::array<std::array<int64_t, 2>, 3>& taps, int64_t d, int64_t h,
                  int64_t o, const F& tap) {
  for (int64_t i = taps[0][0]; i < taps[0][1]; ++i)
    for (int64_t j = taps[1][0]; j < taps[1][1]; ++j) {
      const int64_t row = (w[0].at(d, i) * w[1].in + w[1].at(h, j)) * w[2].in;
      for (int64_t k = taps[2][0]; k < taps[2][1]; ++k) tap(row + w[2].at(o, k));
    }
}
inline std::array<std::array<int64_t, 2>, 3> taps_inside(const Window& w, int64_t d, int64_t h, int64_t o) {
  return {taps_within(w[0], d, 0, w[0].in), taps_within(w[1], h, 0, w[1].in),
          taps_within(w[2], o, 0, w[2].in)};
}

/// How many taps of window (d, h, w) lie inside the input or its padding.
inline int64_t padded_taps(const Window& w, int64_t d, int64_t h, int64_t o) {
  int64_t count = 1;
  const int64_t at[3] = {d, h, o};
  for (size_t i = 0; i < 3; ++i) {
    const auto [first, last] = taps_within(w[i], at[i], -w[i].pad, w[i].in + w[i].pad_end);
    count *= last - first;
  }
  return count;
}

}  // namespace burnish
