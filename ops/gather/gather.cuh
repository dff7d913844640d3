// Gather: slices of one axis picked by an index tensor.
#pragma once

#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// y[o, q, i] = x[o, indices[q], i]: o over the axes before the gathered one, q over the axes of `indices`, i
/// over the axes after it. Negative indices count from the end; an index outside [-length, length) reads
/// nothing and gives zeros. `length`, `x_step`: extent and stride of the gathered axis. y's strides over o, q
/// and i in this order. T is copied bit by bit: where the inner axis is dense a Vec<T, N> may stand for N
/// elements (inner extent and every stride divided by N, pointers aligned).
/// Index int: y has fewer than 2^31 elements.
/// Grid: any, one thread per element of y covers all at once.
template <class T, class I, int outer, int picked, int inner, class Index, int rank>
BURNISH_DEVICE void gather(const T* x, const I* indices, T* y, const Dims<outer, Index>& outer_extents,
                           const Dims<outer>& x_outer_strides, i64 length, i64 x_step,
                           const Dims<picked, Index>& index_extents, const Dims<picked>& index_strides,
                           const Dims<inner, Index>& inner_extents, const Dims<inner>& x_inner_strides,
                           const Dims<rank>& y_strides) {
  static_assert(rank == outer + picked + inner);
  Dims<rank, Index> extents;
#pragma unroll
  for (int axis = 0; axis < rank; ++axis)
    extents.at[axis] = axis < outer ? outer_extents.at[axis < outer ? axis : 0]
                       : axis < outer + picked
                           ? index_extents.at[axis >= outer && axis < outer + picked ? axis - outer : 0]
                           : inner_extents.at[axis >= outer + picked ? axis - outer - picked : 0];
  const Index total = count_of(extents);
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    const Dims<rank, Index> at = decompose(Index(linear), extents);
    i64 from = 0, which = 0;
#pragma unroll
    for (int i = 0; i < outer; ++i) from += i64(at.at[i]) * x_outer_strides.at[i];
#pragma unroll
    for (int i = 0; i < picked; ++i) which += i64(at.at[outer + i]) * index_strides.at[i];
#pragma unroll
    for (int i = 0; i < inner; ++i) from += i64(at.at[outer + picked + i]) * x_inner_strides.at[i];
    i64 index = i64(indices[which]);
    if (index < 0) index += length;
    T value{};
    if (index >= 0 && index < length) value = x[from + index * x_step];
    y[offset_of(at, y_strides)] = value;
  }
}

}  // namespace burnish
