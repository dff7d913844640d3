// Extents, strides and coordinates, and the way from a linear index to an offset.
//
// Extents of type Dims<rank, int> make the index arithmetic 32-bit (their product must be below 2^31),
// Dims<rank, i64> 64-bit. Strides and offsets are always 64-bit. Axes run slowest first; the last one changes
// fastest.
#pragma once

#include "providers/nvrtc/device/types.cuh"

namespace burnish {

/// `rank` numbers, one per axis: extents, strides or coordinates.
template <int rank, class Index = i64>
struct Dims {
  Index at[rank ? rank : 1];
};

/// The unsigned type of an index.
template <class Index>
struct UnsignedIndex {
  using type = u64;
};
template <>
struct UnsignedIndex<int> {
  using type = u32;
};

/// `dims(n, 3, 5)`: strides, or 64-bit extents. `dims<int>(3, 5)`: extents for 32-bit index arithmetic.
template <class Index = i64, class... N>
BURNISH_DEVICE constexpr Dims<sizeof...(N), Index> dims(N... n) {
  return {{Index(n)...}};
}

/// Number of elements; 1 for rank 0.
template <int rank, class Index>
BURNISH_DEVICE Index count_of(const Dims<rank, Index>& extents) {
  Index count = 1;
#pragma unroll
  for (int axis = 0; axis < rank; ++axis) count *= extents.at[axis];
  return count;
}

/// Coordinates of element `linear` (0 <= linear < count) in row-major order.
template <int rank, class Index>
BURNISH_DEVICE Dims<rank, Index> decompose(Index linear, const Dims<rank, Index>& extents) {
  // Unsigned division is the cheaper one.
  using Unsigned = typename UnsignedIndex<Index>::type;
  Dims<rank, Index> at{};
  Unsigned rest = Unsigned(linear);
#pragma unroll
  for (int axis = rank - 1; axis > 0; --axis) {
    const Unsigned extent = Unsigned(extents.at[axis]);
    at.at[axis] = Index(rest % extent);
    rest /= extent;
  }
  if (rank > 0) at.at[0] = Index(rest);
  return at;
}

/// Sum of coordinate times stride.
template <int rank, class Index>
BURNISH_DEVICE i64 offset_of(const Dims<rank, Index>& coordinates, const Dims<rank>& strides) {
  i64 offset = 0;
#pragma unroll
  for (int axis = 0; axis < rank; ++axis) offset += i64(coordinates.at[axis]) * strides.at[axis];
  return offset;
}

/// Offset of element `linear` of a strided view.
template <int rank, class Index>
BURNISH_DEVICE i64 offset_at(Index linear, const Dims<rank, Index>& extents, const Dims<rank>& strides) {
  return offset_of(decompose(linear, extents), strides);
}

/// First index of this thread in a loop over all threads of a one-dimensional grid, and the step of that
/// loop.
template <class Index>
BURNISH_DEVICE Index grid_first() {
  return Index(blockIdx.x) * Index(blockDim.x) + Index(threadIdx.x);
}
template <class Index>
BURNISH_DEVICE Index grid_step() {
  return Index(gridDim.x) * Index(blockDim.x);
}

}  // namespace burnish
