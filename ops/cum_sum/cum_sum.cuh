// CumSum along one axis.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/indexing.cuh"
#include "providers/nvrtc/device/team.cuh"

namespace burnish {

/// y[line, i] = x[line, 0] + … + x[line, i]; exclusive: without x[line, i] itself; reverse: from the end. y
/// may be x unless exclusive. Sums are kept in float, double or 64-bit integers and rounded where they are
/// stored.
/// Lines: `extents` of all axes but the summed one, with strides; the axis: `length` elements, x_step and
/// y_step apart.
/// team: threads per line; 1 where lines are many, 1…32 lanes or a whole block of 64…1024 (then blockDim.x ==
/// team) where they are long.
/// Grid: any; lines / (blockDim.x / team) blocks give one line per team. No dynamic shared memory.
template <bool exclusive, bool reverse, int team, class T, int rank, class Index>
BURNISH_DEVICE void cum_sum(const T* x, T* y, const Dims<rank, Index>& extents, const Dims<rank>& x_strides,
                            const Dims<rank>& y_strides, i64 length, i64 x_step, i64 y_step) {
  using A = accumulator<T>;
  using Threads = Team<team>;
  const i64 lines = count_of(extents);
  for (i64 line = Threads::index(); line < lines; line += Threads::count()) {
    const Dims<rank, Index> at = decompose(Index(line), extents);
    const T* from = x + offset_of(at, x_strides);
    T* to = y + offset_of(at, y_strides);
    A before = 0;
    for (i64 first = 0; first < length; first += team) {
      const i64 i = first + Threads::lane();
      const i64 element = i - exclusive;  // sums of the elements one to the left are the exclusive ones
      const bool inside = element >= 0 && i < length;
      const A own = inside ? A(load(from + (reverse ? length - 1 - element : element) * x_step)) : A(0);
      A total;
      const A sum = Threads::scan(own, [](A a, A b) { return prim::add(a, b); }, total);
      if (i < length) store(to + (reverse ? length - 1 - i : i) * y_step, compute<T>(prim::add(before, sum)));
      before = prim::add(before, total);
    }
  }
}

}  // namespace burnish
