// Copies of strided views.
#pragma once

#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// y[at] = x[at] for one element per thread: thread threadIdx.x of block number `block` of this copy takes
/// element
/// block * blockDim.x + threadIdx.x, so that several copies can share a launch. A stride of x may be 0
/// (repetition).
/// T is copied bit by bit: a word (WordOf) may stand for several neighbouring elements, extents and strides
/// then being in
/// such words.
/// Index int: fewer than 2^31 elements. Blocks: ceil(elements / blockDim.x).
template <class T, int rank, class Index>
BURNISH_DEVICE void copy_view(const T* x, T* y, i64 block, const Dims<rank, Index>& extents,
                              const Dims<rank>& x_strides, const Dims<rank>& y_strides) {
  const i64 linear = block * blockDim.x + threadIdx.x;
  if (linear >= i64(count_of(extents))) return;
  const Dims<rank, Index> at = decompose(Index(linear), extents);
  y[offset_of(at, y_strides)] = x[offset_of(at, x_strides)];
}

}  // namespace burnish
