// A warp's share of a block's product: what it reads from the tiles, multiplies, and holds as accumulators.
#pragma once

#include "providers/nvrtc/device/contraction_tile.cuh"

namespace burnish {

// ---- tensor cores

/// Writes 16 rows of a warp's sums to `rows`, `pitch` apart: lane 4g+q holds rows g, g, g+8, g+8 and columns 8j+2q, +1, +0, +1
/// in sum[j], or what those are in a spread tile.
template <bool Spread = false, int Blocks>
BURNISH_DEVICE void put_sums(float* rows, int pitch, const float (&sum)[Blocks][4]) {
  const int g = threadIdx.x >> 2 & 7, q = threadIdx.x & 3;
#pragma unroll
  for (int j = 0; j < Blocks; ++j)
#pragma unroll
    for (int half_m = 0; half_m < 2; ++half_m)
      *reinterpret_cast<float2*>(rows + (g + half_m * 8) * pitch +
                                 (Spread ? j / 4 * 32 + q * 8 + j % 4 * 2 : j * 8 + q * 2)) =
          make_float2(sum[j][half_m * 2], sum[j][half_m * 2 + 1]);
}

/// Reads a tile 16 mn by 32 bytes of k at a time, as the operand registers of two k halves (`multiply_matrices`).
/// IsA: {mn 0-7 of the first half, mn 8-15 of it, mn 0-7 of the second, mn 8-15 of it}; else B's order
/// {mn 0-7 of the first half, of the second, mn 8-15 of the first, of the second}.
template <class Tile, bool IsA>
struct Fragments {
  using T = typename Tile::T;
  static constexpr int depth = 32 / sizeof(T);  ///< k of one step
  u32 base;

  /// `first`: the warp's first mn in the tile, a multiple of the warp's extent (a power of two).
  BURNISH_DEVICE explicit Fragments(int first) {
    const int lane = threadIdx.x & 31;
    // Lanes name the rows of four matrices: the low bit of the matrix's number moves along `near`, the high along `far`.
    const int r = lane & 7, low = lane >> 3 & 1, high = lane >> 4;
    if constexpr (Tile::reads_words)
      base = (lane & 3) * Tile::line_bytes + (((first + (lane >> 2)) ^ ((lane & 3) << 3)) << 2);
    else if constexpr (Tile::major == Major::k)
      base = Tile::offset(first + r + 8 * (IsA ? low : high), IsA ? high : low);
    else base = Tile::offset(r + 8 * (IsA ? high : low), first / Tile::chunk + (IsA ? low : high));
  }

  BURNISH_DEVICE void read(u32 (&v)[4], u32 tile, int group, int step) const {
    if constexpr (Tile::reads_words) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int half_mn = IsA ? i & 1 : i >> 1, half_k = IsA ? i >> 1 : i & 1;
        v[i] = load_shared_word(tile + (step * 8 + half_k * 4) * Tile::line_bytes +
                                (base ^ (group * 16 + half_mn * 8) << 2));
      }
    } else if constexpr (Tile::major == Major::k)
      load_matrices(v, tile + (base ^ step << 5) + group * 16 * Tile::line_bytes);
    else load_matrices_transposed(v, tile + (base ^ group << 5) + step * 16 * Tile::line_bytes);
    if constexpr (is_same<T, float>)
#pragma unroll
      for (int i = 0; i < 4; ++i) v[i] = round_to_tf32(v[i]);
  }
};

/// Extents M and N of the warp; its rows and columns start at (m, n) of the block. Carry: the first fragments of the next
/// tiles are read while the last of these multiply, which hides the barrier between and costs registers.
template <class A, class B, int M, int N, bool Carry>
struct TensorMath {
  using Accumulator = float;
  static constexpr int slab = 16;  ///< rows that `put` writes at a time
  static constexpr int steps = A::depth / Fragments<A, true>::depth;
  static_assert(M % 16 == 0 && N % 16 == 0 && A::depth % Fragments<A, true>::depth == 0);

  Fragments<A, true> a;
  Fragments<B, false> b;
  u32 fa[2][M / 16][4], fb[2][N / 16][4];  ///< of the step that multiplies and of the one after it
  float sum[M / 16][N / 8][4];

  BURNISH_DEVICE TensorMath(int m, int n) : a(m), b(n) {
#pragma unroll
    for (int i = 0; i < M / 16; ++i)
#pragma unroll
      for (int j = 0; j < N / 8; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e) sum[i][j][e] = 0;
  }

  /// Reads what the first `multiply` starts with; its tiles must have arrived.
  BURNISH_DEVICE void begin(u32 a_tile, u32 b_tile) {
    if (Carry) read(0, a_tile, b_tile, 0);
  }

  /// Adds the product of two tiles. `start` is called early in it; `turn` when the tiles have been read for the last
  /// time, and after it the next tiles must have arrived.
  template <class Start, class Turn>
  BURNISH_DEVICE void multiply(u32 a_tile, u32 b_tile, u32 next_a, u32 next_b, const Start& start,
                               const Turn& turn) {
    static_assert(steps == 1 || steps % 2 == 0);
    if (!Carry) read(0, a_tile, b_tile, 0);
#pragma unroll
    for (int s = 0; s < steps; ++s) {
      const bool last = s + 1 == steps;
      if (!last) read((s + 1) & 1, a_tile, b_tile, s + 1);
      if (s == 0) start();
      if (last && steps > 1) turn();
      if (last && steps > 1) begin(next_a, next_b);  // the other buffer is multiplied
      step(s & 1);
    }
    if (steps == 1) turn();
    if (steps == 1) begin(next_a, next_b);
  }
  BURNISH_DEVICE void read(int buffer, u32 a_tile, u32 b_tile, int step) {
#pragma unroll
    for (int i = 0; i < M / 16; ++i) a.read(fa[buffer][i], a_tile, i, step);
#pragma unroll
    for (int j = 0; j < N / 16; ++j) b.read(fb[buffer][j], b_tile, j, step);
  }
  BURNISH_DEVICE void step(int buffer) {
#pragma unroll
    for (int i = 0; i < M / 16; ++i)
#pragma unroll
      for (int j = 0; j < N / 8; ++j) {
        const u32(&f)[4] = fb[buffer][j / 2];
        multiply_matrices<typename A::T>(sum[i][j], fa[buffer][i], f[j % 2 * 2], f[j % 2 * 2 + 1]);
      }
  }

  /// Writes rows [index * slab, + slab) of the warp's sums to `rows`, `pitch` apart.
  BURNISH_DEVICE void put(float* rows, int pitch, int index) const { put_sums(rows, pitch, sum[index]); }
};

// ---- ordinary multiply-adds

/// Lanes 0 … Lanes-1 share a tile's mn axis of a warp, each with Count of it: every Lanes-th one of a Major::k tile,
/// every Lanes-th chunk of a Major::mn tile.
template <class Tile, int Lanes, int Count>
struct Share {
  using T = typename Tile::T;
  static constexpr int chunk = Tile::chunk;
  int lane;
  u32 base;

  BURNISH_DEVICE Share(int first, int lane) : lane(lane) {
    base = Tile::major == Major::k ? Tile::offset(first + lane, 0) : (first / chunk + lane) << 4;
  }
  /// Which of the warp's mn element i is.
  BURNISH_DEVICE int index(int i) const {
    return Tile::major == Major::k ? lane + Lanes * i : (lane + Lanes * (i / chunk)) * chunk + i % chunk;
  }
  /// Elements k0 … k0 + chunk - 1 of this lane's mn.
  BURNISH_DEVICE void read(compute<T> (&v)[Count][chunk], u32 tile, int k0) const {
    constexpr bool along_k = Tile::major == Major::k;
#pragma unroll
    for (int i = 0; i < (along_k ? Count : chunk); ++i)
#pragma unroll
      for (int j = 0; j < (along_k ? 1 : Count / chunk); ++j) {
        const u32 at = along_k
                           ? (base ^ (Tile::flip(Lanes * i) ^ k0 / chunk) << 4) + Lanes * i * Tile::line_bytes
                           : (base ^ (Tile::flip(k0 + i) ^ Lanes * j) << 4) + (k0 + i) * Tile::line_bytes;
        const uint4 word = load_shared(tile + at);
        Vec<T, chunk> element;
        copy_vector<T, chunk>(&element, &word);
#pragma unroll
        for (int e = 0; e < chunk; ++e) (along_k ? v[i][e] : v[j * chunk + e][i]) = widen(element.at[e]);
      }
  }
};

template <class A, class B, int M, int N, bool Carry>
struct PlainMath {
  using T = typename A::T;
  using Accumulator = compute<T>;
  static constexpr int chunk = A::chunk;
  static constexpr int lanes_m = M >= N ? 8 : 4, lanes_n = 32 / lanes_m;
  static constexpr int count_m = M / lanes_m, count_n = N / lanes_n;
  static constexpr int slab = lanes_m * chunk;
  static_assert(sizeof(T) >= 4 && count_m % chunk == 0 && count_n % chunk == 0);

  Share<A, lanes_m, count_m> a;
  Share<B, lanes_n, count_n> b;
  Accumulator sum[count_m][count_n];

  BURNISH_DEVICE PlainMath(int m, int n) : a(m, threadIdx.x % lanes_m), b(n, threadIdx.x % 32 / lanes_m) {
#pragma unroll
    for (int i = 0; i < count_m; ++i)
#pragma unroll
      for (int j = 0; j < count_n; ++j) sum[i][j] = 0;
  }

  BURNISH_DEVICE void begin(u32, u32) {}

  /// As TensorMath's.
  template <class Start, class Turn>
  BURNISH_DEVICE void multiply(u32 a_tile, u32 b_tile, u32, u32, const Start& start, const Turn& turn) {
    start();
#pragma unroll
    for (int k = 0; k < A::depth; k += chunk) {
      Accumulator x[count_m][chunk], y[count_n][chunk];
      a.read(x, a_tile, k);
      b.read(y, b_tile, k);
#pragma unroll
      for (int e = 0; e < chunk; ++e)
#pragma unroll
        for (int i = 0; i < count_m; ++i)
#pragma unroll
          for (int j = 0; j < count_n; ++j) sum[i][j] += x[i][e] * y[j][e];
    }
    turn();
  }

  BURNISH_DEVICE void put(Accumulator* rows, int pitch, int index) const {
#pragma unroll
    for (int i = 0; i < chunk; ++i)
#pragma unroll
      for (int j = 0; j < count_n; ++j)
        rows[(a.index(index * chunk + i) - index * slab) * pitch + b.index(j)] = sum[index * chunk + i][j];
  }
};

}  // namespace burnish
