// GatherND: slices picked by tuples of indices.
#pragma once

#include "providers/nvrtc/device/tuple_index.cuh"

namespace burnish {

/// y[b, q, i] = x[b, indices[b, q, 0…depth-1], i]: b over the batch axes, q over the remaining axes of
/// indices but the last, i over the axes of x after the indexed ones. A tuple with an index out of range
/// reads nothing and gives zeros. `indexed_extents`, `x_indexed_strides`: the axes of x that the tuples
/// index. `tuple_step`: stride of indices' last axis. T is copied bit by bit, a Vec<T, N> works as in
/// `gather`.
/// Index int: y has fewer than 2^31 elements.
/// Grid: any, one thread per element of y covers all at once.
template <class T, class I, int batch, int picked, int depth, int inner, class Index, int rank>
BURNISH_DEVICE void gather_nd(const T* x, const I* indices, T* y, const Dims<batch, Index>& batch_extents,
                              const Dims<batch>& x_batch_strides, const Dims<batch>& index_batch_strides,
                              const Dims<picked, Index>& picked_extents, const Dims<picked>& index_strides,
                              i64 tuple_step, const Dims<depth>& indexed_extents,
                              const Dims<depth>& x_indexed_strides, const Dims<inner, Index>& inner_extents,
                              const Dims<inner>& x_inner_strides, const Dims<rank>& y_strides) {
  static_assert(rank == batch + picked + inner);
  const Index inner_count = count_of(inner_extents), picked_count = count_of(picked_extents);
  const i64 total = i64(count_of(batch_extents)) * picked_count * inner_count;
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    using Unsigned = typename UnsignedIndex<Index>::type;
    const Unsigned rest = Unsigned(linear) / Unsigned(inner_count);
    const auto i = decompose(Index(Unsigned(linear) % Unsigned(inner_count)), inner_extents);
    const auto q = decompose(Index(rest % Unsigned(picked_count)), picked_extents);
    const auto b = decompose(Index(rest / Unsigned(picked_count)), batch_extents);
    i64 to = 0;
#pragma unroll
    for (int axis = 0; axis < batch; ++axis) to += i64(b.at[axis]) * y_strides.at[axis];
#pragma unroll
    for (int axis = 0; axis < picked; ++axis) to += i64(q.at[axis]) * y_strides.at[batch + axis];
#pragma unroll
    for (int axis = 0; axis < inner; ++axis) to += i64(i.at[axis]) * y_strides.at[batch + picked + axis];
    const I* tuple = indices + offset_of(b, index_batch_strides) + offset_of(q, index_strides);
    const i64 position = tuple_position(tuple, tuple_step, indexed_extents);
    T value{};
    if (position >= 0)
      value = x[offset_of(b, x_batch_strides) + offset_at(position, indexed_extents, x_indexed_strides) +
                offset_of(i, x_inner_strides)];
    y[to] = value;
  }
}

}  // namespace burnish
