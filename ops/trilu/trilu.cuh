// Trilu.
#pragma once

#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// y = x on and above (upper) or on and below diagonal `k` of the matrices that the last two axes make, 0
/// elsewhere. Any
/// strides. T is copied bit by bit.
/// Index int: y has fewer than 2^31 elements. Grid: any, one thread per element of y covers all at once.
template <bool upper, class T, int rank, class Index>
BURNISH_DEVICE void trilu(const T* x, T* y, const Dims<rank, Index>& extents, const Dims<rank>& x_strides,
                          const Dims<rank>& y_strides, i64 k) {
  static_assert(rank >= 2);
  const i64 total = count_of(extents);
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    const Dims<rank, Index> at = decompose(Index(linear), extents);
    const i64 above = i64(at.at[rank - 1]) - i64(at.at[rank - 2]) - k;
    T result{};
    if (upper ? above >= 0 : above <= 0) result = x[offset_of(at, x_strides)];
    y[offset_of(at, y_strides)] = result;
  }
}

}  // namespace burnish
