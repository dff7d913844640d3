// OneHot.
#pragma once

#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// y[o, d, i] = values[1] where d is indices[o, i], else values[0]. Axes before the new one: `outer`; after
/// it: `inner`;
/// y's strides over both and `y_step` over the new one of `depth` elements. Negative indices count from the
/// end; one out of
/// range names nothing. `value_step`: from the one value to the other. T is copied bit by bit.
/// Index int: y has fewer than 2^31 elements. Grid: any, one thread per element of y covers all at once.
template <class T, class I, int outer, int inner, class Index>
BURNISH_DEVICE void one_hot(const I* indices, const T* values, T* y, const Dims<outer, Index>& outer_extents,
                            const Dims<outer>& index_outer_strides, const Dims<outer>& y_outer_strides,
                            const Dims<inner, Index>& inner_extents, const Dims<inner>& index_inner_strides,
                            const Dims<inner>& y_inner_strides, i64 depth, i64 y_step, i64 value_step) {
  using Unsigned = typename UnsignedIndex<Index>::type;
  const Unsigned inner_count = Unsigned(count_of(inner_extents));
  const i64 total = i64(count_of(outer_extents)) * depth * i64(inner_count);
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    const auto i = decompose(Index(Unsigned(linear) % inner_count), inner_extents);
    const Unsigned rest = Unsigned(linear) / inner_count;
    const i64 d = i64(rest % Unsigned(depth));
    const auto o = decompose(Index(rest / Unsigned(depth)), outer_extents);
    i64 index = i64(indices[offset_of(o, index_outer_strides) + offset_of(i, index_inner_strides)]);
    if (index < 0) index += depth;
    y[offset_of(o, y_outer_strides) + offset_of(i, y_inner_strides) + d * y_step] =
        values[index == d ? value_step : 0];
  }
}

}  // namespace burnish
