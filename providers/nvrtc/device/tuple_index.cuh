// Tuples of indices, as GatherND and ScatterND read them.
#pragma once

#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// Row-major number of the position that `depth` indices, `step` apart, name within `extents`; -1 if one of
/// them is out of range. Negative indices count from the end.
template <class I, int depth>
BURNISH_DEVICE i64 tuple_position(const I* tuple, i64 step, const Dims<depth>& extents) {
  i64 position = 0;
#pragma unroll
  for (int i = 0; i < depth; ++i) {
    i64 index = i64(tuple[i * step]);
    if (index < 0) index += extents.at[i];
    if (index < 0 || index >= extents.at[i]) return -1;
    position = position * extents.at[i] + index;
  }
  return position;
}

}  // namespace burnish
