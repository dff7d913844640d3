// ScatterElements (and Scatter): one index per update.
#pragma once

#include "providers/nvrtc/device/scatter.cuh"

namespace burnish {

/// y[at with at[axis] replaced by indices[at]] = Reduction(itself, updates[at]), `at` over the extents of
/// indices and updates. y holds the data already (copied before this launch, or updated in place). Negative
/// indices count from the end; an index outside [-length, length) changes nothing. `length`: y's extent along
/// axis.
/// Reduction: one of scatter::None, Add, Mul, Min, Max.
/// distinct: the caller knows that no line along the axis names a target twice: every update is one thread's.
/// Otherwise the order of updates along the axis is kept as providers/nvrtc/device/scatter.cuh says; 1
/// partition suffices where there are many lines, about 1024 / lines else.
/// Index int: indices and y have fewer than 2^31 elements.
/// Grid: any; threads of use: updates if distinct, else lines (updates / extent of axis) * partitions.
template <class Reduction, bool distinct, int axis, class T, class I, int rank, class Index>
BURNISH_DEVICE void scatter_elements(T* y, const I* indices, const T* updates, i64 length,
                                     const Dims<rank, Index>& extents, const Dims<rank>& y_strides,
                                     const Dims<rank>& index_strides, const Dims<rank>& update_strides,
                                     i64 partitions) {
  static_assert(axis >= 0 && axis < rank);
  Dims<rank, Index> lines = extents;
  if constexpr (!distinct) lines.at[axis] = 1;
  const i64 line_count = count_of(lines), along = distinct ? 1 : i64(extents.at[axis]);
  const i64 total = line_count * (distinct ? 1 : partitions);
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    using Unsigned = typename UnsignedIndex<Index>::type;
    const Dims<rank, Index> at = decompose(Index(Unsigned(linear) % Unsigned(line_count)), lines);
    const i64 group = i64(Unsigned(linear) / Unsigned(line_count));
    const I* index_line = indices + offset_of(at, index_strides);
    const T* update_line = updates + offset_of(at, update_strides);
    T* y_line = y + offset_of(at, y_strides) - i64(at.at[axis]) * y_strides.at[axis];
    for (i64 k = 0; k < along; ++k) {
      i64 index = i64(index_line[k * index_strides.at[axis]]);
      if (index < 0) index += length;
      if (index < 0 || index >= length) continue;
      if (!distinct && partitions > 1 && u64(index) % u64(partitions) != u64(group)) continue;
      scatter::update<Reduction>(y_line + index * y_strides.at[axis],
                                 update_line + k * update_strides.at[axis]);
    }
  }
}

}  // namespace burnish
