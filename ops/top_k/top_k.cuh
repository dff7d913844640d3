// TopK along one axis.
//
// Each element becomes a key that orders like its value (NaN above inf; -0 like +0), and key and index
// together a rank that no two elements share, lower indices first among equals: so the k best are a definite
// set in a definite order. A radix select finds the k-th best rank (eight bits a pass), what is not below it
// is collected, and a bitonic network (Batcher 1968) sorts the collection.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/indexing.cuh"
#include "providers/nvrtc/device/team.cuh"

namespace burnish {

namespace top_k_detail {

/// Key and index; greater is better. The index is stored inverted.
template <class Key>
struct Rank {
  Key key;
  u32 order;
  BURNISH_DEVICE bool operator<(const Rank& other) const {
    return key != other.key ? key < other.key : order < other.order;
  }
};
inline constexpr int order_digits = 4;

/// Digit number `digit` of eight bits, the most significant first.
template <class Key>
BURNISH_DEVICE int digit_of(const Rank<Key>& rank, int digit) {
  constexpr int key_digits = sizeof(Key);
  return digit < key_digits ? int(rank.key >> (8 * (key_digits - 1 - digit)) & 255)
                            : int(rank.order >> (8 * (order_digits - 1 - (digit - key_digits))) & 255);
}

template <bool wide>
struct KeyBits {
  using type = u32;
};
template <>
struct KeyBits<true> {
  using type = u64;
};
template <class T>
using KeyOf = typename KeyBits<(sizeof(T) > 4)>::type;

/// Orders like the values do; for smallest first, the other way round (NaN stays behind every number).
template <bool largest, class T>
BURNISH_DEVICE KeyOf<T> key_of(compute<T> value) {
  using Key = KeyOf<T>;
  constexpr Key top = Key(1) << (8 * sizeof(Key) - 1);
  Key key;
  if constexpr (prim::is_real<compute<T>>) {
    if (value != value) return largest ? ~Key(0) : Key(0);
    const Key bits = __builtin_bit_cast(Key, value + compute<T>(0));
    key = bits & top ? ~bits : bits | top;
  } else if constexpr (T(-1) < T(0)) key = Key(value) ^ top;
  else key = Key(value);
  return largest ? key : Key(~key);
}

/// Sorts `count` (a power of two) ranks, best first, by a whole block.
template <int threads, class Key>
BURNISH_DEVICE void sort_ranks(Rank<Key>* ranks, i64 count) {
  for (i64 run = 2; run <= count; run *= 2)
    for (i64 gap = run / 2; gap > 0; gap /= 2) {
      for (i64 pair = threadIdx.x; pair < count / 2; pair += threads) {
        const i64 a = pair / gap * gap * 2 + pair % gap, b = a + gap;
        const bool best_first = (a & run) == 0;
        const Rank<Key> left = ranks[a], right = ranks[b];
        if ((left < right) == best_first) {
          ranks[a] = right;
          ranks[b] = left;
        }
      }
      __syncthreads();
    }
}

}  // namespace top_k_detail

/// One element of the scratch that k beyond `capacity` needs.
template <class T>
using TopKScratch = top_k_detail::Rank<top_k_detail::KeyOf<T>>;

/// values[line, j], indices[line, j]: the j-th greatest (smallest) of x[line, 0…length), j < k <= length <
/// 2^32, best first; equal ones in the order of their indices. NaN counts as greater than inf when the
/// greatest are wanted and comes last when the smallest are.
/// Where k > length the rest of a line stays unwritten.
/// Lines: `extents` of all axes but the searched one, with strides for x and for both results; the axis:
/// x_step and y_step.
/// capacity: power of two; up to that many results are sorted in shared memory. For greater k, `scratch`
/// holds next power of two of k elements of TopKScratch<T> (8 bytes for types up to 32 bits, else 16) per
/// block of the grid; else null.
/// Block: exactly (threads, 1, 1), 64…1024, a power of two.
/// Grid: any; one block per line covers all at once. No dynamic shared memory.
template <bool largest, int threads, int capacity, class T, int rank, class Index>
BURNISH_DEVICE void top_k(const T* x, T* values, i64* indices, void* scratch,
                          const Dims<rank, Index>& extents, const Dims<rank>& x_strides,
                          const Dims<rank>& y_strides, i64 length, i64 x_step, i64 k, i64 y_step) {
  using namespace top_k_detail;
  using Key = KeyOf<T>;
  static_assert(threads >= 64);
  k = least(k, length);
  __shared__ Rank<Key> shared[capacity];
  __shared__ u32 histogram[256];
  __shared__ u32 collected;
  __shared__ int chosen;
  __shared__ i64 above;  // ranks that are better than every one with the chosen prefix
  const i64 lines = count_of(extents);
  i64 padded = 1;
  while (padded < k) padded *= 2;
  Rank<Key>* ranks =
      padded <= capacity ? shared : static_cast<Rank<Key>*>(scratch) + i64(blockIdx.x) * padded;
  for (i64 line = blockIdx.x; line < lines && k > 0; line += gridDim.x) {
    const Dims<rank, Index> at = decompose(Index(line), extents);
    const T* from = x + offset_of(at, x_strides);
    const i64 to = offset_of(at, y_strides);
    auto rank_at = [&](i64 i) { return Rank<Key>{key_of<largest, T>(load(from + i * x_step)), ~u32(i)}; };

    // Radix select: after each pass the k-th best rank is known to begin with the digits of `limit` chosen so
    // far.
    Rank<Key> limit{0, 0};
    if (threadIdx.x == 0) above = 0;
    bool found = k == length;
    for (int digit = 0; digit < int(sizeof(Key)) + order_digits && !found; ++digit) {
      for (int i = threadIdx.x; i < 256; i += threads) histogram[i] = 0;
      __syncthreads();
      for (i64 i = threadIdx.x; i < length; i += threads) {
        const Rank<Key> r = rank_at(i);
        bool matches = true;
        for (int d = 0; d < digit; ++d) matches = matches && digit_of(r, d) == digit_of(limit, d);
        if (matches) atomicAdd(&histogram[digit_of(r, digit)], 1u);
      }
      __syncthreads();
      if (threadIdx.x == 0) {
        int d = 255;
        while (above + histogram[d] < k) above += histogram[d--];
        chosen = d;
      }
      __syncthreads();
      if (digit < int(sizeof(Key))) limit.key |= Key(chosen) << (8 * (sizeof(Key) - 1 - digit));
      else limit.order |= u32(chosen) << (8 * (order_digits - 1 - (digit - int(sizeof(Key)))));
      found = above + histogram[chosen] == k;  // all that begin so are wanted
      __syncthreads();
    }

    if (threadIdx.x == 0) collected = 0;
    for (i64 i = k + threadIdx.x; i < padded; i += threads) ranks[i] = {0, 0};  // worse than any element
    __syncthreads();
    for (i64 i = threadIdx.x; i < length; i += threads) {
      const Rank<Key> r = rank_at(i);
      if (k == length || !(r < limit)) ranks[atomicAdd(&collected, 1u)] = r;
    }
    __syncthreads();
    sort_ranks<threads>(ranks, padded);
    for (i64 j = threadIdx.x; j < k; j += threads) {
      const i64 index = i64(u32(~ranks[j].order));
      values[to + j * y_step] = from[index * x_step];
      indices[to + j * y_step] = index;
    }
    __syncthreads();
  }
}

}  // namespace burnish
