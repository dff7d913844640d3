// Pad.
#pragma once

#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

enum class PadMode { constant, reflect, edge, wrap };

/// Coordinate of x that coordinate `at` of x's own numbering (below 0 or past the end in the padding)
/// repeats; -1: none.
template <PadMode mode>
BURNISH_DEVICE i64 padded_source(i64 at, i64 extent) {
  if (at >= 0 && at < extent) return at;
  if (mode == PadMode::constant || extent == 0) return -1;
  if constexpr (mode == PadMode::edge) return at < 0 ? 0 : extent - 1;
  const i64 period = mode == PadMode::wrap ? extent : greatest<i64>(2 * (extent - 1), 1);
  const i64 phase = (at % period + period) % period;
  return phase < extent ? phase : period - phase;
}

/// y[at] = x[source of at - begins], `value` where there is none (null: zeros). begins: padding before each
/// axis, negative
/// where it is cut. Any strides. T is copied bit by bit.
/// Index int: y has fewer than 2^31 elements. Grid: any, one thread per element of y covers all at once.
template <PadMode mode, class T, int rank, class Index>
BURNISH_DEVICE void pad(const T* x, const T* value, T* y, const Dims<rank, Index>& y_extents,
                        const Dims<rank>& x_extents, const Dims<rank>& begins, const Dims<rank>& x_strides,
                        const Dims<rank>& y_strides) {
  const i64 total = count_of(y_extents);
  for (i64 linear = grid_first<i64>(); linear < total; linear += grid_step<i64>()) {
    const Dims<rank, Index> at = decompose(Index(linear), y_extents);
    i64 from = 0;
    bool inside = true;
#pragma unroll
    for (int axis = 0; axis < rank; ++axis) {
      const i64 source = padded_source<mode>(i64(at.at[axis]) - begins.at[axis], x_extents.at[axis]);
      inside = inside && source >= 0;
      from += source * x_strides.at[axis];
    }
    T result{};
    if (inside) result = x[from];
    else if (value) result = *value;
    y[offset_of(at, y_strides)] = result;
  }
}

}  // namespace burnish
