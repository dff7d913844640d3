// GridSample: x at the points that a grid names.
#pragma once

#include "ops/grid_sample/grid_taps.cuh"
#include "providers/nvrtc/device/indexing.cuh"
#include "providers/nvrtc/device/team.cuh"

namespace burnish {

namespace grid_detail {

/// Sum over the taps of axes `axis` and up; innermost axis summed first.
template <int axis, int axes, int count, class T>
BURNISH_DEVICE float interpolated(const T* x, const GridTaps<count> (&taps)[axes], const i64* strides) {
  if constexpr (axis == axes) return float(load(x));
  else {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < count; ++i)
      if (taps[axis].index[i] >= 0)
        sum += taps[axis].weight[i] *
               interpolated<axis + 1>(x + taps[axis].index[i] * strides[axis], taps, strides);
    return sum;
  }
}

}  // namespace grid_detail

/// y [n, c, points…] = x [n, c, axes…] at grid [n, points…, axes], whose last axis names x's axes from the innermost out, each from -1
/// to 1. All three have any strides. count: 1 nearest, which copies elements as they are, 2 linear, 4 cubic, in float.
/// x_extents: of x's last axes. Index int: y has fewer than 2^31 elements.
/// Grid: any, one thread per element of y covers all at once.
template <int count, class T, class G, int axes, int rank, class Index>
BURNISH_DEVICE void grid_sample(const T* x, const G* grid, T* y, GridPadding padding, bool align_corners,
                                const Dims<axes>& x_extents, const Dims<rank, Index>& extents,
                                const Dims<rank>& x_strides, const Dims<rank>& grid_strides,
                                const Dims<rank>& y_strides) {
  static_assert(rank == axes + 2);
  const Index total = count_of(extents);
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    const Dims<rank, Index> at = decompose(Index(linear), extents);
    i64 point = i64(at.at[0]) * grid_strides.at[0];
#pragma unroll
    for (int i = 2; i < rank; ++i) point += i64(at.at[i]) * grid_strides.at[i - 1];
    GridTaps<count> taps[axes];
#pragma unroll
    for (int i = 0; i < axes; ++i) {
      const float place = float(load(grid + point + (axes - 1 - i) * grid_strides.at[rank - 1]));
      taps[i] = grid_taps<count>(place, x_extents.at[i], padding, align_corners);
    }
    const T* from = x + i64(at.at[0]) * x_strides.at[0] + i64(at.at[1]) * x_strides.at[1];
    T* to = y + offset_of(at, y_strides);
    if constexpr (count == 1) {
      bool inside = true;
#pragma unroll
      for (int i = 0; i < axes; ++i) {
        inside = inside && taps[i].index[0] >= 0;
        from += taps[i].index[0] * x_strides.at[i + 2];
      }
      *to = inside ? *from : T{};
    } else {
      store(to, prim::cast<compute<T>>(grid_detail::interpolated<0>(from, taps, x_strides.at + 2)));
    }
  }
}

}  // namespace burnish
