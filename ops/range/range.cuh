// Range.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// y[i * step] = start + i * delta for i < count; integers, which wrap.
/// Grid: any, one thread per element covers all at once.
template <class T>
BURNISH_DEVICE void range(T* y, i64 count, i64 step, i64 start, i64 delta) {
  for (i64 i = grid_first<i64>(); i < count; i += grid_step<i64>())
    store(y + i * step, compute<T>(prim::add(start, prim::mul(i, delta))));
}

}  // namespace burnish
