// AveragePool.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/team.cuh"
#include "providers/nvrtc/device/window.cuh"

namespace burnish {

/// y[n, c, p] = epilogue(mean of x under the window at p, offset in y). The divisor counts the taps inside x
/// or, with count_include_pad, those inside x and its padding (pad_end: padding after the data); taps past
/// that, which ceil_mode can reach, count in neither. A window without any counted tap gives 0. Strides,
/// channels_last, vector, Index and launch geometry: as `max_pool`.
template <bool channels_last, int vector, bool count_include_pad, class T, int spatial, class Index, int rank,
          class Epilogue = Unchanged>
BURNISH_DEVICE void average_pool(const T* x, T* y, i64 batch, i64 channels,
                                 const Dims<spatial, Index>& x_extents, const Dims<spatial, Index>& y_extents,
                                 const Dims<rank>& x_strides, const Dims<rank>& y_strides,
                                 const Window<spatial>& window, const Dims<spatial, int>& pad_end,
                                 Epilogue epilogue = {}) {
  using A = accumulator<T>;
  const Index total = Index(batch * (channels / vector) * i64(count_of(y_extents)));
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    const auto p = window_position<channels_last, vector>(Index(linear), channels / vector, y_extents);
    A sum[vector] = {};
    each_tap(window, p.at, x_extents, [&](const Dims<spatial, int>& at) {
      compute<T> element[vector];
      load_row<T, vector>(x + window_offset(p.batch, p.channel, at, x_strides), 1, vector, vector > 1,
                          element);
#pragma unroll
      for (int v = 0; v < vector; ++v) sum[v] += A(element[v]);
    });
    i64 counted = 1;
#pragma unroll
    for (int axis = 0; axis < spatial; ++axis) {
      const int before = count_include_pad ? window.pad.at[axis] : 0,
                after = count_include_pad ? pad_end.at[axis] : 0;
      const int start = p.at.at[axis] * window.stride.at[axis] - window.pad.at[axis];
      const TapRange taps = taps_inside(start + before, window.dilation.at[axis], window.kernel.at[axis],
                                        i64(x_extents.at[axis]) + before + after);
      counted *= greatest(taps.end - taps.first, 0);
    }
    const i64 target = window_offset(p.batch, p.channel, p.at, y_strides);
    compute<T> result[vector];
#pragma unroll
    for (int v = 0; v < vector; ++v)
      result[v] = compute<T>(epilogue(compute<T>(counted ? sum[v] / A(counted) : A(0)), target + v));
    store_row<T, vector>(y + target, 1, vector, vector > 1, result);
  }
}

}  // namespace burnish
