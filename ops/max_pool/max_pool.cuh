// MaxPool.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/reduce.cuh"
#include "providers/nvrtc/device/window.cuh"

namespace burnish {

/// y[n, c, p] = epilogue(largest element of x under the window at p, offset in y); NaN wins. A window wholly
/// in the padding gives the type's smallest value (-inf). Padding never wins over an element.
/// indices: null, or (vector 1 only) the position of the first such element in row-major order, as ONNX
/// counts it: in a dense [n, c, spatial…] tensor, the spatial part column-major if column_major; -1 for a
/// window without elements. It lies with y's strides.
/// y's spatial extents decide how many windows there are; ceil_mode and end padding are in them. Both tensors
/// have any strides [batch, channel, spatial…].
/// channels_last: neighbouring threads take neighbouring channels.
/// vector: channels per thread, moved together; needs a channel stride of 1 in x and y, channels and all
/// other strides divisible by it and pointers aligned to the vector.
/// Index int: batch * channels * points of y below 2^31.
/// Grid: any, one thread per y element / vector covers all at once.
template <bool channels_last, int vector, class T, int spatial, class Index, int rank,
          class Epilogue = Unchanged>
BURNISH_DEVICE void max_pool(const T* x, T* y, i64* indices, i64 batch, i64 channels,
                             const Dims<spatial, Index>& x_extents, const Dims<spatial, Index>& y_extents,
                             const Dims<rank>& x_strides, const Dims<rank>& y_strides,
                             const Window<spatial>& window, bool column_major = false,
                             Epilogue epilogue = {}) {
  using A = accumulator<T>;
  const Index total = Index(batch * (channels / vector) * i64(count_of(y_extents)));
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    const auto p = window_position<channels_last, vector>(Index(linear), channels / vector, y_extents);
    A best[vector];
    i64 winner = -1;
#pragma unroll
    for (int v = 0; v < vector; ++v) best[v] = reduction::lowest<T>();
    each_tap(window, p.at, x_extents, [&](const Dims<spatial, int>& at) {
      compute<T> element[vector];
      load_row<T, vector>(x + window_offset(p.batch, p.channel, at, x_strides), 1, vector, vector > 1,
                          element);
      if constexpr (vector == 1) {
        if (indices &&
            (winner < 0 || A(element[0]) > best[0] || (element[0] != element[0] && best[0] == best[0]))) {
          winner = 0;
          i64 step = 1;
#pragma unroll
          for (int i = 0; i < spatial; ++i) {
            const int axis = column_major ? i : spatial - 1 - i;
            winner += at.at[axis] * step;
            step *= x_extents.at[axis];
          }
        }
      }
#pragma unroll
      for (int v = 0; v < vector; ++v) best[v] = prim::max(best[v], A(element[v]));
    });
    const i64 target = window_offset(p.batch, p.channel, p.at, y_strides);
    compute<T> result[vector];
#pragma unroll
    for (int v = 0; v < vector; ++v) result[v] = compute<T>(epilogue(compute<T>(best[v]), target + v));
    store_row<T, vector>(y + target, 1, vector, vector > 1, result);
    if (indices)
      indices[target] =
          winner < 0 ? -1 : (p.batch * channels + p.channel) * i64(count_of(x_extents)) + winner;
  }
}

}  // namespace burnish
