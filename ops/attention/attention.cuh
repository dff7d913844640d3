// softmax(scale * Q K^T + mask) V with tensor cores; the scores never leave registers (Dao: FlashAttention-2, 2023).
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/indexing.cuh"
#include "providers/nvrtc/device/mma.cuh"

namespace burnish {

/// How attention is cut up. A block owns 16 queries per warp and walks the keys KeyTile at a time, in a ring of Stages
/// tiles. T: half or bfloat16. HeadDim: of queries and keys, ValueDim: of values and results; any, padded inside.
template <class T_, int HeadDim, int ValueDim, int Warps, int KeyTile, int Stages_>
struct AttentionTiles {
  using T = T_;
  static constexpr int head_dim = HeadDim, value_dim = ValueDim;
  static constexpr int head_span = (HeadDim + 15) / 16 * 16, value_span = (ValueDim + 15) / 16 * 16;
  static constexpr int queries = 16 * Warps, keys = KeyTile, stages = Stages_, threads = 32 * Warps;
  /// Elements from row to row in shared memory: an odd number of 16-byte chunks, so that the eight rows of an ldmatrix
  /// fall into different banks.
  static constexpr int pitch = (head_span > value_span ? head_span : value_span) + 8;
  static constexpr int shared_bytes = (queries + 2 * keys * stages) * pitch * int(sizeof(T));
  static_assert(KeyTile % 16 == 0);
};

/// Rows of a matrix in global memory. Bytes: the width of asynchronous copies (16, 8, 4), which divides the address and
/// the step between rows, with columns side by side; 0 for any strides.
template <class T, int Bytes>
struct AttentionRows {
  const T* at;
  i64 row, column;
};

/// What is added to the scores of query i and of keys j and j + 1 (j even); -inf from key `keys` on. Strides may be 0.
/// Pairs: keys lie side by side, an even number of them, in rows that lie on two elements.
template <class T, bool Pairs>
struct AttentionMask {
  static constexpr bool everywhere = true;
  const T* at;
  i64 query, key;
  BURNISH_DEVICE void read(int i, int j, int keys, float (&added)[2]) const {
    const T* from = at + i * query + j * key;
    if (Pairs && j < keys) return load_vector<T, 2>(from, added);
#pragma unroll
    for (int e = 0; e < 2; ++e) added[e] = j + e < keys ? load(from + e * key) : -float(prim::infinity());
  }
};
struct NoMask {
  static constexpr bool everywhere = false;  ///< only keys that do not exist are masked
  BURNISH_DEVICE void read(int, int j, int keys, float (&added)[2]) const {
#pragma unroll
    for (int e = 0; e < 2; ++e) added[e] = j + e < keys ? 0 : -float(prim::infinity());
  }
};

namespace attention_detail {

/// Rows first … first + Rows - 1 of `from`, of which those below `count` exist, to shared memory; the rest, and columns
/// from Columns to Span, become 0.
template <int Rows, int Columns, int Span, int Pitch, int Threads, class T, int Bytes>
BURNISH_DEVICE void fetch(T* to, const AttentionRows<T, Bytes>& from, int first, int count) {
  constexpr int piece = Bytes ? Bytes / int(sizeof(T)) : 1, pieces = Span / piece, total = Rows * pieces;
#pragma unroll 4
  for (int i = threadIdx.x; i < total; i += Threads) {
    const int row = i / pieces, column = i % pieces * piece;
    const bool exists = first + row < count;
    T* const target = to + row * Pitch + column;
    if constexpr (Bytes > 0) {
      const int valid = exists ? greatest(0, least(piece, Columns - column)) * int(sizeof(T)) : 0;
      copy_async<Bytes>(shared_address(target), valid ? from.at + (first + row) * from.row + column : from.at,
                        valid);
    } else {
      *target = exists && column < Columns ? from.at[(first + row) * from.row + column * from.column] : T{0};
    }
  }
}

/// 2^x, 0 below the normal numbers.
BURNISH_DEVICE float exp2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

/// Two numbers as neighbours in memory, the first one low.
template <class T>
BURNISH_DEVICE u32 pack(float first, float second) {
  u32 word;
  if constexpr (is_same<T, half>) asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
  else asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
  return word;
}

template <class Combine>
BURNISH_DEVICE float over_quad(float x, Combine combine) {
  x = combine(x, __shfl_xor_sync(0xffffffffu, x, 1));
  return combine(x, __shfl_xor_sync(0xffffffffu, x, 2));
}

/// What a warp has of its 16 queries so far. Registers lie as `multiply_matrices` says: a thread has rows g and g + 8.
template <class C>
struct SoftmaxSum {
  using T = typename C::T;
  float result[C::value_span / 8][4];  ///< whoever adds to it begins it
  float most[2], sum[2];  ///< of each row: the largest score before scaling, the sum of exponentials

  BURNISH_DEVICE SoftmaxSum() {
#pragma unroll
    for (int r = 0; r < 2; ++r) most[r] = -float(prim::infinity()), sum[r] = 0;
  }

  /// Raises `most` where a score exceeds it by more than 2^8 after scaling: what was summed so far is scaled anew only when it
  /// has to be. True in all of the warp if it was for one of its rows; then `result` counts `factor` times.
  BURNISH_DEVICE bool raise(const float (&scores)[C::keys / 8][4], float scale, float (&factor)[2]) {
    constexpr float headroom = 8;
    float largest[2];
    bool grows = false;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float of[2] = {most[r], most[r]};  // two chains: each waits half as long
#pragma unroll
      for (auto& block : scores)
#pragma unroll
        for (int e = 0; e < 2; ++e) of[e] = fmaxf(of[e], block[2 * r + e]);
      largest[r] = over_quad(fmaxf(of[0], of[1]), [](float a, float b) { return fmaxf(a, b); });
      grows = grows || (largest[r] - most[r]) * scale > headroom;
      factor[r] = 1;
    }
    if (!__any_sync(0xffffffffu, grows)) return false;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      factor[r] = exp2(fmaf(most[r], scale, -base(largest[r], scale)));
      most[r] = largest[r];
      sum[r] *= factor[r];
    }
    return true;
  }

  BURNISH_DEVICE void weigh_result(const float (&factor)[2]) {
#pragma unroll
    for (auto& block : result)
#pragma unroll
      for (int i = 0; i < 4; ++i) block[i] *= factor[i / 2];
  }

  /// Turns scores into 2^(scale * (score - most)). As long as a row holds nothing but -inf, its exponentials are 0.
  BURNISH_DEVICE void exponentiate(float (&scores)[C::keys / 8][4], float scale) {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float from = base(most[r], scale);
      float sums[2] = {sum[r], 0};  // two chains of additions
#pragma unroll
      for (auto& block : scores)
#pragma unroll
        for (int e = 0; e < 2; ++e) sums[e] += block[2 * r + e] = exp2(fmaf(block[2 * r + e], scale, -from));
      sum[r] = sums[0] + sums[1];
    }
  }

  /// Writes the rows, divided by their sums, to shared memory. As Softmax has it, a row of scores that holds NaN or +inf,
  /// or nothing but -inf, gives NaN; without keys there is nothing to sum and the result is 0.
  BURNISH_DEVICE void finish(T* rows, bool keyless) const {
    const int g = threadIdx.x >> 2 & 7, column = (threadIdx.x & 3) * 2;
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const float all = over_quad(sum[r], [](float a, float b) { return a + b; });
      const float inverse = keyless ? 0 : 1 / (all + (most[r] - most[r]));
#pragma unroll
      for (int n = 0; n < C::value_span / 8; ++n)
        *reinterpret_cast<u32*>(rows + (g + 8 * r) * C::pitch + n * 8 + column) =
            pack<T>(result[n][2 * r] * inverse, result[n][2 * r + 1] * inverse);
    }
  }

 private:
  static BURNISH_DEVICE float base(float most, float scale) {
    return most == -float(prim::infinity()) ? 0 : most * scale;
  }
};

/// A warp that multiplies from registers.
template <class C>
struct WarpAttention : SoftmaxSum<C> {
  using T = typename C::T;
  u32 q[C::head_span / 16][4];

  BURNISH_DEVICE WarpAttention() {
#pragma unroll
    for (auto& block : this->result)
#pragma unroll
      for (float& x : block) x = 0;
  }

  /// `rows`: the warp's queries in shared memory.
  BURNISH_DEVICE void read_queries(const T* rows) {
    const int lane = threadIdx.x & 31;
    const u32 at = shared_address(rows + (lane & 15) * C::pitch + (lane >> 4) * 8);
#pragma unroll
    for (int step = 0; step < C::head_span / 16; ++step) load_matrices(q[step], at + step * 32);
  }

  /// scores += Q K^T
  BURNISH_DEVICE void score(float (&scores)[C::keys / 8][4], const T* keys) const {
    const int lane = threadIdx.x & 31;
    const u32 at = shared_address(keys + ((lane & 7) + (lane >> 4) * 8) * C::pitch + (lane >> 3 & 1) * 8);
#pragma unroll
    for (int step = 0; step < C::head_span / 16; ++step)
#pragma unroll
      for (int n = 0; n < C::keys / 16; ++n) {
        u32 k[4];
        load_matrices(k, at + (n * 16 * C::pitch + step * 16) * int(sizeof(T)));
        multiply_matrices<T>(scores[2 * n], q[step], k[0], k[1]);
        multiply_matrices<T>(scores[2 * n + 1], q[step], k[2], k[3]);
      }
  }

  /// result += P V
  BURNISH_DEVICE void add_values(const float (&p)[C::keys / 8][4], const T* values) {
    const int lane = threadIdx.x & 31;
    const u32 at = shared_address(values + (lane & 15) * C::pitch + (lane >> 4) * 8);
#pragma unroll
    for (int step = 0; step < C::keys / 16; ++step) {
      const float (&low)[4] = p[2 * step], (&high)[4] = p[2 * step + 1];
      const u32 a[4] = {pack<T>(low[0], low[1]), pack<T>(low[2], low[3]), pack<T>(high[0], high[1]),
                        pack<T>(high[2], high[3])};
#pragma unroll
      for (int n = 0; n < C::value_span / 16; ++n) {
        u32 v[4];
        load_matrices_transposed(v, at + (step * 16 * C::pitch + n * 16) * int(sizeof(T)));
        multiply_matrices<T>(this->result[2 * n], a, v[0], v[1]);
        multiply_matrices<T>(this->result[2 * n + 1], a, v[2], v[3]);
      }
    }
  }
};

/// Copies a warp's rows, of which the first `count` exist, from shared memory to `y`.
template <class C>
BURNISH_DEVICE void write_rows(typename C::T* y, i64 y_row, i64 y_column, bool aligned,
                               const typename C::T* rows, int count) {
  using T = typename C::T;
  constexpr int chunks = C::value_span / 8;
  for (int i = threadIdx.x & 31; i < 16 * chunks; i += 32) {
    const int row = i / chunks, column = i % chunks * 8;
    if (row >= count || column >= C::value_dim) continue;
    const T* from = rows + row * C::pitch + column;
    T* to = y + row * y_row + column * y_column;
    const int width = least(8, C::value_dim - column);
    if (aligned && y_column == 1 && width == 8)
      write_vector<T, 8>(to, *reinterpret_cast<const Vec<T, 8>*>(from));
    else
      for (int e = 0; e < width; ++e) to[e * y_column] = from[e];
  }
}

}  // namespace attention_detail

/// Queries tile * C::queries … of one head: y[i] = sum over j of softmax over j of (scale * q[i] . k[j] + mask(i, j)) v[j].
/// scale > 0. aligned: rows of y lie on 16 bytes. Block of C::threads, C::shared_bytes of dynamic shared memory.
template <class C, class Mask, int Bytes>
BURNISH_DEVICE void attention(int tile, const AttentionRows<typename C::T, Bytes>& q,
                              const AttentionRows<typename C::T, Bytes>& k,
                              const AttentionRows<typename C::T, Bytes>& v, const Mask& mask,
                              typename C::T* y, i64 y_row, i64 y_column, bool aligned, int queries, int keys,
                              float scale) {
  using namespace attention_detail;
  using T = typename C::T;
  extern __shared__ __align__(16) u8 attention_shared[];
  T* const shared = reinterpret_cast<T*>(attention_shared);
  constexpr int tile_elements = C::keys * C::pitch;
  const int warp = threadIdx.x / 32, lane = threadIdx.x & 31, first = tile * C::queries;
  T* const rows = shared + warp * 16 * C::pitch;
  const int first_row = first + warp * 16;
  auto ring = [&](int t, int which) {
    return shared + C::queries * C::pitch + (t % C::stages * 2 + which) * tile_elements;
  };
  auto start = [&](int t) {
    fetch<C::keys, C::head_dim, C::head_span, C::pitch, C::threads>(ring(t, 0), k, t * C::keys, keys);
    fetch<C::keys, C::value_dim, C::value_span, C::pitch, C::threads>(ring(t, 1), v, t * C::keys, keys);
    commit_copies();
  };
  fetch<C::queries, C::head_dim, C::head_span, C::pitch, C::threads>(shared, q, first, queries);
  start(0);

  WarpAttention<C> mine;
  const int tiles = greatest(1, ceil_div(keys, C::keys));
  const float power = scale * 1.4426950408889634f;  // e^x = 2^(x log2 e)
  const float inverse_scale = 1 / scale;
  for (int t = 0; t < tiles; ++t) {
    // The sums of products begin with the mask: its loads are under way before the keys have come.
    float scores[C::keys / 8][4];
#pragma unroll
    for (int n = 0; n < C::keys / 8; ++n)
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        const int row = least(first_row + lane / 4 + 8 * r, queries - 1);
        float added[2];
        mask.read(row, t * C::keys + n * 8 + lane % 4 * 2, keys, added);
#pragma unroll
        for (int e = 0; e < 2; ++e) scores[n][2 * r + e] = added[e] * inverse_scale;
      }
    wait_copies<0>();
    __syncthreads();  // tile t is there for all, and nobody reads the one before it any more
    if (t + 1 < tiles) start(t + 1);
    if (first_row >= queries) continue;
    if (t == 0) mine.read_queries(rows);
    mine.score(scores, ring(t, 0));
    float factor[2];
    if (mine.raise(scores, power, factor)) mine.weigh_result(factor);
    mine.exponentiate(scores, power);
    mine.add_values(scores, ring(t, 1));
  }
  if (first_row >= queries) return;

  mine.finish(rows, keys == 0);
  __syncwarp();
  write_rows<C>(y + first_row * y_row, y_row, y_column, aligned, rows, queries - first_row);
}

}  // namespace burnish
