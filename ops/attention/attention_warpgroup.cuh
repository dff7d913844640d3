// Attention with the matrix instructions of sm_90a: a warpgroup multiplies its 64 queries with tiles of keys and values where
// they lie in shared memory.
#pragma once

#include "ops/attention/attention.cuh"
#include "providers/nvrtc/device/wgmma_registers.cuh"

namespace burnish {

/// As AttentionTiles, for blocks of Groups warpgroups with 64 queries each. Tiles lie in shared memory as `describe_matrix`
/// says: lines of one query, key or value, in panels of 64 columns.
template <class T_, int HeadDim, int ValueDim, int Groups, int KeyTile, int Stages_>
struct WarpgroupAttentionTiles {
  using T = T_;
  static constexpr int head_dim = HeadDim, value_dim = ValueDim;
  static constexpr int head_span = (HeadDim + 15) / 16 * 16, value_span = (ValueDim + 15) / 16 * 16;
  static constexpr int queries = 64 * Groups, keys = KeyTile, stages = Stages_, threads = 128 * Groups;
  static constexpr int pitch = value_span + 8;  ///< from row to row of the results
  static constexpr int line_bytes = 128;
  static constexpr int head_panels = (head_span + 63) / 64, value_panels = (value_span + 63) / 64;
  static constexpr int query_bytes =
      (queries * greatest(head_panels * line_bytes, pitch* int(sizeof(T))) + 1023) / 1024 * 1024;
  static constexpr int key_bytes = keys * head_panels * line_bytes,
                       value_bytes = keys * value_panels * line_bytes;
  static constexpr int shared_bytes = 1024 + query_bytes + stages * (key_bytes + value_bytes);
  static_assert(KeyTile % 16 == 0 && KeyTile <= 192 && value_span <= 128 && sizeof(T) == 2);
};

namespace attention_detail {

/// Byte of 16-byte chunk `chunk` of line `line`, in panels of Lines lines.
template <int Lines>
BURNISH_DEVICE u32 chunk_offset(int line, int chunk) {
  return chunk / 8 * Lines * 128 + line * 128 + ((chunk % 8 ^ line % 8) << 4);
}

/// Rows of `from` as lines of shared memory, Rows of them at a time: eight lanes share a row, each with one chunk of every
/// panel. Columns from Columns to Span become 0.
template <int Rows, int Columns, int Span, int Threads, class T>
struct LineFetch {
  static constexpr int chunks = Span / 8, step = Threads / 8;
  static_assert(step % 8 == 0);
  const T *rows, *at;  ///< the matrix, and this thread's first chunk of it
  i64 row;
  u32 to;  ///< its place, in bytes from the first line
  int first_row;

  BURNISH_DEVICE explicit LineFetch(const AttentionRows<T, 16>& from)
      : rows(from.at),
        row(from.row),
        to(chunk_offset<Rows>(threadIdx.x / 8, threadIdx.x % 8)),
        first_row(threadIdx.x / 8) {
    at = from.at + first_row * row + threadIdx.x % 8 * 8;
  }
  /// Starts copies of rows first … first + Rows - 1; those from `count` on become 0.
  BURNISH_DEVICE void start(u32 lines, int first, int count) const {
    const T* from = at + first * row;
    const int left = count - first - first_row;
#pragma unroll
    for (int i = 0; i < Rows; i += step, from += step * row)
#pragma unroll
      for (int panel = 0; panel < chunks; panel += 8) {
        const int chunk = panel + int(threadIdx.x) % 8;
        if (chunk >= chunks || (Rows % step && i + first_row >= Rows)) continue;
        const int valid = i < left ? greatest(0, least(8, Columns - chunk * 8)) * int(sizeof(T)) : 0;
        copy_async<16>(lines + to + i * 128 + panel / 8 * Rows * 128, valid ? from + panel * 8 : rows, valid);
      }
  }
};

/// Waits until at most Pending batches of products are under way; these sums are of an older one.
template <int Pending, int N>
BURNISH_DEVICE void finish_products(float (&sums)[N][4]) {
  wait_for_products<Pending>();
#pragma unroll
  for (auto& block : sums)
#pragma unroll
    for (float& x : block) asm volatile("" : "+f"(x)::"memory");  // not read before the wait
}

/// A warp of a warpgroup, whose tiles the four multiply together.
template <class C>
struct WarpgroupAttention : SoftmaxSum<C> {
  using T = typename C::T;
  u32 weights[C::keys / 16][4];  ///< what values count, as products want it

  /// Starts scores = Q K^T. `queries`: the warpgroup's first line of the block's.
  static BURNISH_DEVICE void start_scores(float (&scores)[C::keys / 8][4], u32 queries, u32 keys) {
    const u64 q = describe_matrix(queries, 16), k = describe_matrix(keys, 16);
#pragma unroll
    for (int step = 0; step < C::head_span / 16; ++step)
      start_product<C::keys, T, false, false>(
          scores, further(q, step / 4 * C::queries * C::line_bytes + step % 4 * 32),
          further(k, step / 4 * C::keys * C::line_bytes + step % 4 * 32), step > 0);
    commit_products();
  }

  BURNISH_DEVICE void take_weights(const float (&p)[C::keys / 8][4]) {
#pragma unroll
    for (int step = 0; step < C::keys / 16; ++step) {
      const float (&low)[4] = p[2 * step], (&high)[4] = p[2 * step + 1];
      weights[step][0] = pack<T>(low[0], low[1]), weights[step][1] = pack<T>(low[2], low[3]);
      weights[step][2] = pack<T>(high[0], high[1]), weights[step][3] = pack<T>(high[2], high[3]);
    }
  }

  /// Starts result += weights V, or result = weights V unless `adds`.
  BURNISH_DEVICE void start_values(u32 values, bool adds) {
    const u64 v = describe_matrix(values, C::keys * C::line_bytes);
#pragma unroll
    for (int step = 0; step < C::keys / 16; ++step)
      start_product<C::value_span, T, true>(this->result, weights[step],
                                            further(v, step * 16 * C::line_bytes), step > 0 || adds);
    commit_products();
  }
};

/// Adds the mask to scores of the warp's 16 rows from `first_row` on and a tile of keys, to be scaled after.
template <class C, class Mask>
BURNISH_DEVICE void add_mask(float (&scores)[C::keys / 8][4], const Mask& mask, int first_row, int queries,
                             int first_key, int keys, float inverse_scale) {
  if (!Mask::everywhere && first_key + C::keys <= keys) return;
  const int lane = threadIdx.x & 31;
#pragma unroll
  for (int n = 0; n < C::keys / 8; ++n)
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      const int row = least(first_row + lane / 4 + 8 * r, queries - 1);
      float added[2];
      mask.read(row, first_key + n * 8 + lane % 4 * 2, keys, added);
#pragma unroll
      for (int e = 0; e < 2; ++e) scores[n][2 * r + e] = fmaf(added[e], inverse_scale, scores[n][2 * r + e]);
    }
}

}  // namespace attention_detail

/// As `attention`, with blocks of C::threads for WarpgroupAttentionTiles C. The three matrices are copied 16 bytes at a time.
template <class C, class Mask>
BURNISH_DEVICE void warpgroup_attention(int tile, const AttentionRows<typename C::T, 16>& q,
                                        const AttentionRows<typename C::T, 16>& k,
                                        const AttentionRows<typename C::T, 16>& v, const Mask& mask,
                                        typename C::T* y, i64 y_row, i64 y_column, bool aligned, int queries,
                                        int keys, float scale) {
  using namespace attention_detail;
  using T = typename C::T;
  extern __shared__ __align__(16) u8 attention_shared[];
  const u32 unaligned = shared_address(attention_shared), shared = (unaligned + 1023) / 1024 * 1024;
  const int warp = __shfl_sync(0xffffffffu, int(threadIdx.x) / 32, 0);
  const int first = tile * C::queries, first_row = first + warp * 16;
  const bool works = first + warp / 4 * 64 < queries;  // the warpgroup
  auto ring = [&](int t) {
    return shared + C::query_bytes + t % C::stages * (C::key_bytes + C::value_bytes);
  };
  const int tiles = greatest(1, ceil_div(keys, C::keys));
  const LineFetch<C::keys, C::head_dim, C::head_span, C::threads, T> key_fetch(k);
  const LineFetch<C::keys, C::value_dim, C::value_span, C::threads, T> value_fetch(v);
  auto start = [&](int t) {
    if (t < tiles) {
      key_fetch.start(ring(t), t * C::keys, keys);
      value_fetch.start(ring(t) + C::key_bytes, t * C::keys, keys);
    }
    commit_copies();
  };
  constexpr int ahead = greatest(1, C::stages - 1);
  LineFetch<C::queries, C::head_dim, C::head_span, C::threads, T>(q).start(shared, first, queries);
#pragma unroll
  for (int t = 0; t < ahead; ++t) start(t);

  WarpgroupAttention<C> mine;
  const float power = scale * 1.4426950408889634f;  // e^x = 2^(x log2 e)
  const float inverse_scale = 1 / scale;
  for (int t = 0; t < tiles; ++t) {
    wait_copies<ahead - 1>();
    publish_shared();
    __syncthreads();  // tile t is there for all, and nobody reads the one before it any more
    if (C::stages > 1) start(t + ahead);
    if (!works) continue;
    float scores[C::keys / 8][4];
    begin_products();
    mine.start_scores(scores, shared + warp / 4 * 64 * C::line_bytes, ring(t));
    finish_products<0>(scores);
    add_mask<C>(scores, mask, first_row, queries, t * C::keys, keys, inverse_scale);
    float factor[2];
    if (mine.raise(scores, power, factor)) mine.weigh_result(factor);
    mine.exponentiate(scores, power);
    mine.take_weights(scores);
    begin_products();
    mine.start_values(ring(t) + C::key_bytes, t > 0);
    finish_products<0>(mine.result);
  }
  __syncthreads();  // nobody reads queries any more: results take their place
  if (!works) return;

  T* const rows = reinterpret_cast<T*>(attention_shared + (shared - unaligned)) + warp * 16 * C::pitch;
  mine.finish(rows, keys == 0);
  __syncwarp();
  write_rows<C>(y + first_row * y_row, y_row, y_column, aligned, rows, queries - first_row);
}

}  // namespace burnish
