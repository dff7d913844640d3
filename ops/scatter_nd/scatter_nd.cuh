// ScatterND: slices put where tuples of indices say.
#pragma once

#include "providers/nvrtc/device/scatter.cuh"
#include "providers/nvrtc/device/tuple_index.cuh"

namespace burnish {

/// y[indices[q, 0…depth-1], i] = Reduction(itself, updates[q, i]) for q over the axes of indices but the
/// last, i over y's axes after the indexed ones. y holds the data already (copied before this launch, or
/// updated in place). A tuple with an index out of range changes nothing.
/// Reduction: one of scatter::None, Add, Mul, Min, Max.
/// distinct: the caller knows that no two tuples are equal (`partitions` is then ignored): every update is
/// one thread's. Otherwise the order of updates is kept as providers/nvrtc/device/scatter.cuh says; 1
/// partition suffices where there are many inner elements, about 1024 / inner elements else.
/// Index int: updates and y have fewer than 2^31 elements.
/// Grid: any; threads of use: inner elements * (distinct ? tuples : partitions).
template <class Reduction, bool distinct, class T, class I, int picked, int depth, int inner, class Index>
BURNISH_DEVICE void scatter_nd(T* y, const I* indices, const T* updates,
                               const Dims<picked, Index>& picked_extents, const Dims<picked>& index_strides,
                               i64 tuple_step, const Dims<picked>& update_strides,
                               const Dims<depth>& indexed_extents, const Dims<depth>& y_indexed_strides,
                               const Dims<inner, Index>& inner_extents, const Dims<inner>& y_inner_strides,
                               const Dims<inner>& update_inner_strides, i64 partitions) {
  const i64 inner_count = count_of(inner_extents), tuples = count_of(picked_extents);
  const i64 total = inner_count * (distinct ? tuples : partitions);
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    using Unsigned = typename UnsignedIndex<Index>::type;
    const auto i = decompose(Index(Unsigned(linear) % Unsigned(inner_count)), inner_extents);
    const i64 group = i64(Unsigned(linear) / Unsigned(inner_count));
    const i64 y_inner = offset_of(i, y_inner_strides), update_inner = offset_of(i, update_inner_strides);
    auto apply = [&](i64 tuple, bool all) {
      const auto q = decompose(Index(tuple), picked_extents);
      const i64 position = tuple_position(indices + offset_of(q, index_strides), tuple_step, indexed_extents);
      if (position < 0 || (!all && u64(position) % u64(partitions) != u64(group))) return;
      scatter::update<Reduction>(y + offset_at(position, indexed_extents, y_indexed_strides) + y_inner,
                                 updates + offset_of(q, update_strides) + update_inner);
    };
    if constexpr (distinct) apply(group, true);
    else
      for (i64 tuple = 0; tuple < tuples; ++tuple) apply(tuple, partitions == 1);
  }
}

}  // namespace burnish
