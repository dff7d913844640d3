// GatherElements: one index per element.
#pragma once

#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// y[at] = x[at with at[axis] replaced by indices[at]], `at` over the extents of indices, which are y's.
/// Negative indices count from the end; an index outside [-length, length) reads nothing and gives zero.
/// `length`: x's extent along axis. All three tensors have any strides.
/// Index int: y has fewer than 2^31 elements.
/// Grid: any, one thread per element of y covers all at once.
template <int axis, class T, class I, int rank, class Index>
BURNISH_DEVICE void gather_elements(const T* x, const I* indices, T* y, i64 length,
                                    const Dims<rank, Index>& extents, const Dims<rank>& x_strides,
                                    const Dims<rank>& index_strides, const Dims<rank>& y_strides) {
  static_assert(axis >= 0 && axis < rank);
  const Index total = count_of(extents);
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    const Dims<rank, Index> at = decompose(Index(linear), extents);
    i64 index = i64(indices[offset_of(at, index_strides)]);
    if (index < 0) index += length;
    T value{};
    if (index >= 0 && index < length)
      value = x[offset_of(at, x_strides) + (index - i64(at.at[axis])) * x_strides.at[axis]];
    y[offset_of(at, y_strides)] = value;
  }
}

}  // namespace burnish
