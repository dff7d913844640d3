// Reductions over any set of axes of a strided view.
//
// The axes of x are given as kept axes (their product is the number of results) and reduced axes. Results are
// dense in the order of the kept axes, or lie with `y_strides` over them. A reduction over nothing gives the
// functor's identity. The order of additions depends on the extents and the variant alone, never on timing.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/cluster.cuh"
#include "providers/nvrtc/device/epilogue.cuh"
#include "providers/nvrtc/device/indexing.cuh"
#include "providers/nvrtc/device/prologue.cuh"
#include "providers/nvrtc/device/team.cuh"

namespace burnish {

/// What reduction functors have in common. T is x's storage type. A functor gives
///   State; identity(); of(value), one element's state; combine(State, State); result(State, element count).
namespace reduction {

template <class T>
inline constexpr bool is_float = prim::is_real<accumulator<T>>;
/// Roots and logarithms of integers are taken in double.
template <class T>
struct Reals {
  using type = double;
};
template <>
struct Reals<half> {
  using type = float;
};
template <>
struct Reals<bfloat16> {
  using type = float;
};
template <>
struct Reals<float> {
  using type = float;
};

template <class T>
BURNISH_DEVICE accumulator<T> lowest() {
  if constexpr (is_float<T>) return accumulator<T>(-prim::infinity());
  else if constexpr (is_same<T, bool>) return 0;
  else return prim::detail::lowest<T>;
}
template <class T>
BURNISH_DEVICE accumulator<T> highest() {
  if constexpr (is_float<T>) return accumulator<T>(prim::infinity());
  else if constexpr (is_same<T, bool>) return 1;
  else return prim::detail::highest<T>;
}

template <class T, class A = accumulator<T>>
struct Sum {
  using State = A;
  static BURNISH_DEVICE State identity() { return A(0); }
  static BURNISH_DEVICE State of(A value) { return value; }
  static BURNISH_DEVICE State combine(State a, State b) { return prim::add(a, b); }
  static BURNISH_DEVICE A result(State s, i64) { return s; }
};
/// Integers: the quotient toward zero. Over nothing NaN, for integers 0.
template <class T>
struct Mean : Sum<T> {
  using A = accumulator<T>;
  static BURNISH_DEVICE A result(A s, i64 count) { return prim::div(s, A(count)); }
};
template <class T>
struct Prod : Sum<T> {
  using A = accumulator<T>;
  static BURNISH_DEVICE A identity() { return A(1); }
  static BURNISH_DEVICE A combine(A a, A b) { return prim::mul(a, b); }
};
/// NaN wins. Over nothing -inf, for integers their smallest.
template <class T>
struct Max : Sum<T> {
  using A = accumulator<T>;
  static BURNISH_DEVICE A identity() { return lowest<T>(); }
  static BURNISH_DEVICE A combine(A a, A b) { return prim::max(a, b); }
};
/// NaN wins. Over nothing inf, for integers their greatest.
template <class T>
struct Min : Sum<T> {
  using A = accumulator<T>;
  static BURNISH_DEVICE A identity() { return highest<T>(); }
  static BURNISH_DEVICE A combine(A a, A b) { return prim::min(a, b); }
};
template <class T>
struct L1 : Sum<T> {
  using A = accumulator<T>;
  static BURNISH_DEVICE A of(A value) { return prim::abs(value); }
};
template <class T>
struct SumSquare : Sum<T> {
  using A = accumulator<T>;
  static BURNISH_DEVICE A of(A value) { return prim::mul(value, value); }
};
template <class T>
struct L2 : Sum<T, typename Reals<T>::type> {
  using A = typename Reals<T>::type;
  static BURNISH_DEVICE A of(A value) { return value * value; }
  static BURNISH_DEVICE A result(A s, i64) { return prim::sqrt(s); }
};
template <class T>
struct LogSum : Sum<T, typename Reals<T>::type> {
  using A = typename Reals<T>::type;
  static BURNISH_DEVICE A result(A s, i64) { return prim::log(s); }
};
/// Log of the sum of e^x, kept as a maximum m and the sum of e^(x-m): no overflow. -inf over nothing and over
/// -inf only.
template <class T>
struct LogSumExp {
  using A = typename Reals<T>::type;
  struct State {
    A m, sum;
  };
  static BURNISH_DEVICE State identity() { return {A(-prim::infinity()), A(0)}; }
  static BURNISH_DEVICE State of(A value) { return {value, A(1)}; }
  static BURNISH_DEVICE State combine(State a, State b) {
    const A m = prim::max(a.m, b.m);
    return {m, a.sum * scale(a.m, m) + b.sum * scale(b.m, m)};
  }
  static BURNISH_DEVICE A result(State s, i64) { return s.m + prim::log(s.sum); }

 private:
  static BURNISH_DEVICE A scale(A from, A to) { return from == to ? A(1) : prim::exp(from - to); }
};

/// A real result as an accumulator of T: what is stored into an integer tensor is truncated.
template <class T, class A>
BURNISH_DEVICE compute<T> as_result(A value) {
  return prim::cast<compute<T>>(value);
}

/// State of elements first, first + step, … of result k, whose reduced axes begin at offset `base`; four chains
/// hide latency.
template <class F, class T, int reduced, class Index, class Prologue>
BURNISH_DEVICE typename F::State accumulate(const T* x, i64 base, i64 k, Index first, Index step, Index count,
                                            const Dims<reduced, Index>& extents, const Dims<reduced>& strides,
                                            const Prologue& prologue) {
  typename F::State chain[4] = {F::identity(), F::identity(), F::identity(), F::identity()};
  auto element = [&](Index r) {
    return F::of(read_element(prologue, x + base + offset_at(r, extents, strides), int(r), int(k)));
  };
  i64 r = first;  // 64-bit: the last step may pass 2^31
  for (; r + 3 * i64(step) < count; r += 4 * i64(step)) {
#pragma unroll
    for (int i = 0; i < 4; ++i) chain[i] = F::combine(chain[i], element(Index(r + i * i64(step))));
  }
  for (; r < count; r += step) chain[0] = F::combine(chain[0], element(Index(r)));
  return F::combine(F::combine(chain[0], chain[1]), F::combine(chain[2], chain[3]));
}

}  // namespace reduction

/// y[k] = F over r of x[k, r], F one of the functors above on x's type. A prologue (prologue.cuh) gives x instead, float, of m
/// the number r and n the number k; an epilogue (epilogue.cuh) stores, of n the number k.
///   reduce<reduction::Mean<half>, 32>(x, y, dims<int>(n, c), dims(sn, sc), dims(c, 1), dims<int>(h, w),
///                                     dims(sh, sw));
/// x: kept extents and strides of x over them, y's strides over them; reduced extents and strides of x over
/// them.
/// team: threads per result, 1…32 lanes or a whole block of 64…1024 (then blockDim.x == team). Lanes take
/// neighbouring elements of the reduced axes, so the last of these should be the one of stride 1.
/// Grid: any number of blocks; results / (blockDim.x / team) is one result per team. No dynamic shared
/// memory.
template <class F, int team, class Tx, class Ty, int kept, int reduced, class Index,
          class Prologue = Unchanged, class Epilogue = Unchanged>
BURNISH_DEVICE void reduce(const Tx* x, Ty* y, const Dims<kept, Index>& kept_extents,
                           const Dims<kept>& x_kept_strides, const Dims<kept>& y_strides,
                           const Dims<reduced, Index>& extents, const Dims<reduced>& x_strides,
                           Prologue prologue = {}, Epilogue epilogue = {}) {
  using Threads = Team<team>;
  const Index results = count_of(kept_extents), count = count_of(extents);
  for (i64 k = Threads::index(); k < results; k += Threads::count()) {
    const Dims<kept, Index> at = decompose(Index(k), kept_extents);
    auto state = reduction::accumulate<F>(x, offset_of(at, x_kept_strides), k, Index(Threads::lane()),
                                          Index(team), count, extents, x_strides, prologue);
    state = Threads::reduce(state, F::combine);
    if (Threads::lane() == 0)
      finish_element(epilogue, y + offset_of(at, y_strides), 0, int(k),
                     reduction::as_result<Tx>(F::result(state, count)));
  }
}

namespace reduction {

/// The same of V neighbouring results from k on, added to `state`.
template <class F, int V, class T, int reduced, class Index, class Prologue>
BURNISH_DEVICE void accumulate_columns(const T* x, i64 base, i64 k, Index first, Index step, Index count,
                                       const Dims<reduced, Index>& extents, const Dims<reduced>& strides,
                                       const Prologue& prologue, typename F::State (&state)[V]) {
  constexpr int together = 4;  // rows under way
  for (i64 r = first; r < count; r += together * i64(step)) {
    decltype(fetch_elements<V>(prologue, x, 0, 0)) row[together];
#pragma unroll
    for (int j = 0; j < together; ++j) {
      if (r + j * i64(step) >= count) break;
      const Index at = Index(r + j * i64(step));
      row[j] = fetch_elements<V>(prologue, x + base + offset_at(at, extents, strides), int(at), int(k));
    }
#pragma unroll
    for (int j = 0; j < together; ++j) {
      if (r + j * i64(step) >= count) break;
      compute<T> value[V];
      values_of<V>(prologue, row[j], value);
#pragma unroll
      for (int i = 0; i < V; ++i) state[i] = F::combine(state[i], F::of(value[i]));
    }
  }
}

}  // namespace reduction

/// The same for reduced axes with strides and kept axes whose last one has stride 1: 32 neighbouring results side by side, V
/// of them by a thread. V > 1: address, strides and the last kept extent are multiples of V.
/// blocks > 1 (sm_90 and later): a cluster of as many shares the results.
/// Block: exactly `threads`, a multiple of 32 up to 1024. Grid: a multiple of `blocks`; ceil(results / 32) * blocks covers all at
/// once.
template <class F, int threads, int V = 1, int blocks = 1, class Tx, class Ty, int kept, int reduced,
          class Index, class Prologue = Unchanged, class Epilogue = Unchanged>
BURNISH_DEVICE void reduce_columns(const Tx* x, Ty* y, const Dims<kept, Index>& kept_extents,
                                   const Dims<kept>& x_kept_strides, const Dims<kept>& y_strides,
                                   const Dims<reduced, Index>& extents, const Dims<reduced>& x_strides,
                                   Prologue prologue = {}, Epilogue epilogue = {}) {
  using State = typename F::State;
  constexpr int lanes = 32 / V, slices = threads / lanes, warps = threads / 32;
  static_assert(threads % 32 == 0 && warps <= 32);
  __shared__ State of_warps[warps][32], of_block[32];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, column = threadIdx.x % lanes * V;
  const int slice = blockIdx.x % blocks * slices + threadIdx.x / lanes;
  const Index results = count_of(kept_extents), count = count_of(extents);
  auto wait = [] {
    if constexpr (blocks > 1) synchronize_cluster();
    else __syncthreads();
  };
  for (i64 first = i64(blockIdx.x / blocks) * 32; first < results; first += i64(gridDim.x / blocks) * 32) {
    State state[V];
#pragma unroll
    for (State& s : state) s = F::identity();
    if (first + column < results)
      reduction::accumulate_columns<F, V>(
          x, offset_of(decompose(Index(first + column), kept_extents), x_kept_strides), first + column,
          Index(slice), Index(slices * blocks), count, extents, x_strides, prologue, state);
#pragma unroll
    for (int i = 0; i < V; ++i) {
#pragma unroll
      for (int mask = lanes; mask < 32; mask *= 2) {
        const State other = shuffle_xor(~0u, state[i], mask);
        state[i] = lane & mask ? F::combine(other, state[i]) : F::combine(state[i], other);
      }
      if (lane < lanes) of_warps[warp][column + i] = state[i];
    }
    __syncthreads();
    if (warp == 0) {
      State s = of_warps[0][lane];
#pragma unroll
      for (int w = 1; w < warps; ++w) s = F::combine(s, of_warps[w][lane]);
      of_block[lane] = s;
    }
    wait();
    const i64 k = first + lane;
    if (warp == 0 && blockIdx.x % blocks == 0 && k < results) {
      State s = of_block[lane];
#pragma unroll
      for (int rank = 1; rank < blocks; ++rank) s = F::combine(s, of_other_block(of_block[lane], rank));
      finish_element(epilogue, y + offset_of(decompose(Index(k), kept_extents), y_strides), 0, int(k),
                     reduction::as_result<Tx>(F::result(s, count)));
    }
    wait();
  }
}

}  // namespace burnish
