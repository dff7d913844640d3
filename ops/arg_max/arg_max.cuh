// ArgMax and ArgMin along one axis.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/indexing.cuh"
#include "providers/nvrtc/device/team.cuh"

namespace burnish {

namespace arg_max_detail {

template <class A>
struct Candidate {
  A value;
  i64 index;  ///< -1: none
};

/// The better of two; `a` has the lower index. NaN beats every number, as in numpy.
template <bool smallest, bool last, class A>
BURNISH_DEVICE Candidate<A> better(Candidate<A> a, Candidate<A> b) {
  if (a.index < 0) return b;
  if (b.index < 0) return a;
  const bool a_nan = a.value != a.value, b_nan = b.value != b.value;
  if (a_nan || b_nan) return b_nan && (last || !a_nan) ? b : a;
  if (a.value == b.value) return last ? b : a;
  return (smallest ? b.value < a.value : b.value > a.value) ? b : a;
}

}  // namespace arg_max_detail

/// y[line] = index of the greatest (smallest) x[line, i]; of equal ones the first, with `last` the last. 0
/// for an empty line. Lines: `extents` of all axes but the searched one, with strides; the axis: `length`
/// elements, x_step apart.
/// team: threads per line, 1…32 lanes or a whole block of 64…1024 (then blockDim.x == team).
/// Grid: any; lines / (blockDim.x / team) blocks give one line per team. No dynamic shared memory.
template <bool smallest, bool last, int team, class T, int rank, class Index>
BURNISH_DEVICE void arg_max(const T* x, i64* y, const Dims<rank, Index>& extents, const Dims<rank>& x_strides,
                            const Dims<rank>& y_strides, i64 length, i64 x_step) {
  using Candidate = arg_max_detail::Candidate<accumulator<T>>;
  using Threads = Team<team>;
  auto better = [](Candidate a, Candidate b) {
    return a.index <= b.index ? arg_max_detail::better<smallest, last>(a, b)
                              : arg_max_detail::better<smallest, last>(b, a);
  };
  const i64 lines = count_of(extents);
  for (i64 line = Threads::index(); line < lines; line += Threads::count()) {
    const Dims<rank, Index> at = decompose(Index(line), extents);
    const T* from = x + offset_of(at, x_strides);
    Candidate best{accumulator<T>(0), -1};
    for (i64 i = Threads::lane(); i < length; i += team)
      best = better(best, Candidate{accumulator<T>(load(from + i * x_step)), i});
    best = Threads::reduce(best, better);
    if (Threads::lane() == 0) y[offset_of(at, y_strides)] = greatest<i64>(best.index, 0);
  }
}

}  // namespace burnish
