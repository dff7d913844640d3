// Gather: slices of one axis picked by an index tensor.
#pragma once

#include "providers/nvrtc/device/epilogue.cuh"
#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// Where what a position of the result is picked from lies: the axes of the result that number slices have strides in `indices`, the
/// others in x. Negative indices count from the end. `length`, `step`: extent and stride of the gathered axis.
template <class I, int rank>
struct Picked {
  const I* indices;
  Dims<rank> index_strides, x_strides;
  i64 length, step;

  /// Its offset in x. False: the index is outside [-length, length).
  template <class Index>
  BURNISH_DEVICE bool find(const Dims<rank, Index>& at, i64& from) const {
    i64 index = i64(indices[offset_of(at, index_strides)]);
    if (index < 0) index += length;
    from = offset_of(at, x_strides) + index * step;
    return index >= 0 && index < length;
  }
};

template <class I, int rank>
BURNISH_DEVICE Picked<I, rank> picked(const I* indices, const Dims<rank>& index_strides,
                                      const Dims<rank>& x_strides, i64 length, i64 step) {
  return {indices, index_strides, x_strides, length, step};
}

/// y at each position is x where that is picked from; 0 where the index is outside. T is copied bit by bit: where the last axis is
/// dense a Vec<T, N> may stand for N elements (last extent and every stride but that of the indices divided by N, pointers aligned).
/// Index int: y has fewer than 2^31 elements.
/// Grid: any, one thread per element of y covers all at once.
template <class T, class I, class Index, int rank>
BURNISH_DEVICE void gather(const T* x, const Picked<I, rank>& picked, T* y, const Dims<rank, Index>& extents,
                           const Dims<rank>& y_strides) {
  const Index total = count_of(extents);
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    const Dims<rank, Index> at = decompose(Index(linear), extents);
    i64 from;
    T value{};
    if (picked.find(at, from)) value = x[from];
    y[offset_of(at, y_strides)] = value;
  }
}

/// The same with an epilogue (epilogue.cuh) that gets V elements of the last axis at a time: m numbers the positions along the others,
/// the last extent and the strides along the last axis are in units of V.
template <int V, class T, class I, class Index, int rank, class Epilogue>
BURNISH_DEVICE void gather_rows(const T* x, const Picked<I, rank>& picked, const Dims<rank, Index>& extents,
                                const Epilogue& epilogue) {
  const Index total = count_of(extents);
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    const Dims<rank, Index> at = decompose(Index(linear), extents);
    i64 from;
    float v[V] = {};
    if (picked.find(at, from)) load_vector<T, V>(x + from, v);
    const Index parts = extents.at[rank - 1];
    finish_row(epilogue, int(linear / parts), int(at.at[rank - 1]) * V, v, V);
  }
}

}  // namespace burnish
