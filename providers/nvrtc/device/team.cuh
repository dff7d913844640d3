// Teams of threads that work on one row of data together.
#pragma once

#include "providers/nvrtc/device/types.cuh"

namespace burnish {

/// A value from the lane whose number differs in the bits of `mask`, for any trivially copyable S of whole
/// words.
template <class S>
BURNISH_DEVICE S shuffle_xor(unsigned members, S value, int mask) {
  static_assert(sizeof(S) % 4 == 0);
  struct Words {
    int at[sizeof(S) / 4];
  };
  Words words = __builtin_bit_cast(Words, value);
#pragma unroll
  for (int& word : words.at) word = __shfl_xor_sync(members, word, mask);
  return __builtin_bit_cast(S, words);
}

/// The value `distance` lanes below within groups of `width` lanes (a power of two); below the group, its
/// own.
template <class S>
BURNISH_DEVICE S shuffle_up(unsigned members, S value, int distance, int width) {
  static_assert(sizeof(S) % 4 == 0);
  struct Words {
    int at[sizeof(S) / 4];
  };
  Words words = __builtin_bit_cast(Words, value);
#pragma unroll
  for (int& word : words.at) word = __shfl_up_sync(members, word, distance, width);
  return __builtin_bit_cast(S, words);
}

/// `threads` threads of a one-dimensional block: 1, 2, 4, … 32 lanes of a warp (a block then holds several
/// teams, and blockDim.x is a multiple of 32 or of `threads`), or a whole block of 64, 128, … 1024. All of a
/// team must reach its collective calls together; different teams need not.
template <int threads>
struct Team {
  static_assert((threads & (threads - 1)) == 0 && threads >= 1 && threads <= 1024,
                "a power of two up to 1024");

  static BURNISH_DEVICE int lane() { return int(threadIdx.x) & (threads - 1); }
  /// Number of this team in the grid, and how many there are.
  static BURNISH_DEVICE i64 index() {
    return i64(blockIdx.x) * (blockDim.x / threads) + threadIdx.x / threads;
  }
  static BURNISH_DEVICE i64 count() { return i64(gridDim.x) * (blockDim.x / threads); }

  /// Lanes of this team within its warp.
  static BURNISH_DEVICE unsigned members() {
    if constexpr (threads >= 32) return 0xffffffffu;
    else return ((1u << threads) - 1) << (threadIdx.x & 31 & ~(threads - 1));
  }

  static BURNISH_DEVICE void sync() {
    if constexpr (threads > 32) __syncthreads();
    else __syncwarp(members());
  }

  /// combine(…) over the values of all threads, in an order fixed by the lanes; every thread gets the result.
  /// `combine` must be associative up to rounding; its left operand comes from the lower lane.
  template <class S, class Combine>
  static BURNISH_DEVICE S reduce(S value, Combine combine) {
    constexpr int in_warp = threads < 32 ? threads : 32;
#pragma unroll
    for (int mask = 1; mask < in_warp; mask *= 2) {
      const S other = shuffle_xor(members(), value, mask);
      value = lane() & mask ? combine(other, value) : combine(value, other);
    }
    if constexpr (threads > 32) {
      constexpr int warps = threads / 32;
      __shared__ S partial[warps];
      __syncthreads();  // of an earlier call all have read
      if (lane() % 32 == 0) partial[lane() / 32] = value;
      __syncthreads();
      value = partial[0];
#pragma unroll
      for (int warp = 1; warp < warps; ++warp) value = combine(value, partial[warp]);
    }
    return value;
  }

  /// Inclusive scan over the lanes in ascending order. `total` gets the value of the last lane.
  template <class S, class Combine>
  static BURNISH_DEVICE S scan(S value, Combine combine, S& total) {
    constexpr int in_warp = threads < 32 ? threads : 32;
#pragma unroll
    for (int distance = 1; distance < in_warp; distance *= 2) {
      const S below = shuffle_up(members(), value, distance, in_warp);
      if (lane() % in_warp >= distance) value = combine(below, value);
    }
    if constexpr (threads > 32) {
      constexpr int warps = threads / 32;
      __shared__ S partial[warps];
      __syncthreads();  // of an earlier call all have read
      if (lane() % 32 == 31) partial[lane() / 32] = value;
      __syncthreads();
      S before = partial[0];
      total = partial[0];
#pragma unroll
      for (int warp = 1; warp < warps; ++warp) {
        if (warp == lane() / 32) before = total;
        total = combine(total, partial[warp]);
      }
      if (lane() >= 32) value = combine(before, value);
    } else {
      total = value;
      if constexpr (threads > 1) total = broadcast_last(value);
    }
    return value;
  }

 private:
  template <class S>
  static BURNISH_DEVICE S broadcast_last(S value) {
    struct Words {
      int at[sizeof(S) / 4];
    };
    Words words = __builtin_bit_cast(Words, value);
#pragma unroll
    for (int& word : words.at) word = __shfl_sync(members(), word, threads - 1, threads);
    return __builtin_bit_cast(S, words);
  }
};

/// Functor that changes nothing: the default prologue and epilogue of kernels. The second argument is where
/// the value was loaded from or is stored to, as the kernel's docstring says.
struct Unchanged {
  template <class V>
  BURNISH_DEVICE V operator()(V value, i64) const {
    return value;
  }
};

/// The type in which values of T are summed: float or double for floats, 64-bit integers for the rest.
template <class T>
struct AccumulatorOf {
  using type = compute<T>;
};
template <>
struct AccumulatorOf<bool> {
  using type = i64;
};
template <class T>
using accumulator = typename AccumulatorOf<T>::type;

}  // namespace burnish
