// Softmax and LogSoftmax along one axis.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/epilogue.cuh"
#include "providers/nvrtc/device/indexing.cuh"
#include "providers/nvrtc/device/prologue.cuh"
#include "providers/nvrtc/device/team.cuh"

namespace burnish {

namespace softmax_detail {

/// Running maximum and the sum of e^(x - maximum): one pass finds both (Milakov, Gimelshein: Online
/// normalizer calculation for softmax, 2018).
template <class A>
struct State {
  A maximum, sum;
};
template <class A>
BURNISH_DEVICE A scale(A from, A to) {
  return from == to ? A(1) : prim::exp(from - to);
}
template <class A>
BURNISH_DEVICE State<A> combine(State<A> a, State<A> b) {
  const A m = prim::max(a.maximum, b.maximum);
  return {m, a.sum * scale(a.maximum, m) + b.sum * scale(b.maximum, m)};
}

/// What turns x into the result: e^(x - maximum) / sum, or x - maximum - log(sum). As in numpy, a row that
/// holds NaN or inf, or nothing but -inf, becomes NaN throughout.
template <bool logarithm, class A>
struct Finish {
  A maximum, term;
  BURNISH_DEVICE explicit Finish(State<A> s) : maximum(s.maximum) {
    const A sum = s.sum + (s.maximum - s.maximum);
    term = logarithm ? prim::log(sum) : A(1) / sum;
  }
  BURNISH_DEVICE A operator()(A x) const {
    return logarithm ? x - maximum - term : prim::exp(x - maximum) * term;
  }
};

}  // namespace softmax_detail

/// y[row, i] = softmax over i of x[row, i]; y may be x. A prologue (prologue.cuh) gives x instead, an epilogue (epilogue.cuh) stores:
/// of m the row, n the element of the row. Rows: `extents` of all axes but the softmax axis, with x's and y's strides over them; the
/// axis: `length` elements, `x_step` and `y_step` apart.
/// team: threads per row, 1…32 lanes or a whole block of 64…1024 (then blockDim.x == team).
/// cached: elements per thread kept in registers; 0 reads the row twice and takes any length, else length <=
/// team * cached.
/// Grid: any; rows / (blockDim.x / team) blocks give one row per team. No dynamic shared memory.
template <bool logarithm, int team, int cached, class Tx, class Ty, int rank, class Index,
          class Prologue = Unchanged, class Epilogue = Unchanged>
BURNISH_DEVICE void softmax(const Tx* x, Ty* y, const Dims<rank, Index>& extents, const Dims<rank>& x_strides,
                            const Dims<rank>& y_strides, i64 length, i64 x_step, i64 y_step,
                            Prologue prologue = {}, Epilogue epilogue = {}) {
  using namespace softmax_detail;
  using A = compute<Tx>;
  using Threads = Team<team>;
  const i64 rows = count_of(extents);
  for (i64 row = Threads::index(); row < rows; row += Threads::count()) {
    const Dims<rank, Index> at = decompose(Index(row), extents);
    const i64 from = offset_of(at, x_strides), to = offset_of(at, y_strides);
    auto read = [&](i64 i) { return read_element(prologue, x + from + i * x_step, int(row), int(i)); };
    auto write = [&](i64 i, A value) {
      finish_element(epilogue, y + to + i * y_step, int(row), int(i), value);
    };
    if constexpr (cached > 0) {
      A kept[cached];
      A maximum = A(-prim::infinity()), sum = 0;
#pragma unroll
      for (int j = 0; j < cached; ++j) {
        const i64 i = j * team + Threads::lane();
        kept[j] = i < length ? read(i) : A(-prim::infinity());
        maximum = prim::max(maximum, kept[j]);
      }
      maximum = Threads::reduce(maximum, [](A a, A b) { return prim::max(a, b); });
#pragma unroll
      for (int j = 0; j < cached; ++j)
        if (j * team + Threads::lane() < length) sum += prim::exp(kept[j] - maximum);
      sum = Threads::reduce(sum, [](A a, A b) { return a + b; });
      const Finish<logarithm, A> finish(State<A>{maximum, sum});
#pragma unroll
      for (int j = 0; j < cached; ++j) {
        const i64 i = j * team + Threads::lane();
        if (i < length) write(i, finish(kept[j]));
      }
    } else {
      State<A> state{A(-prim::infinity()), A(0)};
      for (i64 i = Threads::lane(); i < length; i += team) state = combine(state, State<A>{read(i), A(1)});
      const Finish<logarithm, A> finish(Threads::reduce(state, combine<A>));
      for (i64 i = Threads::lane(); i < length; i += team) write(i, finish(read(i)));
    }
  }
}

}  // namespace burnish
