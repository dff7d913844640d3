// What scatter kernels do with an element that an update names.
//
// Updates of one element happen in the order of the updates tensor, as in ONNX's reference: with `none` the
// last one stays, sums and products round in that order, so results are the same each time. Threads get there
// without atomics: each owns those targets whose number is congruent to its own modulo the number of
// `partitions`, walks through all updates in order and applies those to its own targets. Neighbouring threads
// read the same indices, so the walk is one broadcast load per update.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/indexing.cuh"

namespace burnish::scatter {

struct None {
  template <class A>
  static BURNISH_DEVICE A apply(A, A update) {
    return update;
  }
};
struct Add {
  template <class A>
  static BURNISH_DEVICE A apply(A old, A update) {
    return prim::add(old, update);
  }
};
struct Mul {
  template <class A>
  static BURNISH_DEVICE A apply(A old, A update) {
    return prim::mul(old, update);
  }
};
struct Min {
  template <class A>
  static BURNISH_DEVICE A apply(A old, A update) {
    return prim::min(old, update);
  }
};
struct Max {
  template <class A>
  static BURNISH_DEVICE A apply(A old, A update) {
    return prim::max(old, update);
  }
};

template <class Reduction, class T>
BURNISH_DEVICE void update(T* target, const T* update) {
  if constexpr (is_same<Reduction, None>) *target = *update;
  else if constexpr (is_same<T, bool>) store(target, Reduction::apply(i64(*target), i64(*update)) != 0);
  else store(target, Reduction::apply(load(target), load(update)));
}

}  // namespace burnish::scatter
