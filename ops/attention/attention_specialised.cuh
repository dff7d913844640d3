// Attention whose warpgroups share the work out (sm_90a): one has the copy engine bring queries, keys and values, the others
// multiply, 64 queries each. While a warpgroup takes exponentials, its product with the last values and the products of the
// others are under way.
#pragma once

#include "ops/attention/attention_warpgroup.cuh"
#include "providers/nvrtc/device/tensor_map.cuh"

namespace burnish {

/// Rows of a matrix that the copy engine brings. The map's axes are the columns, the rows, and three more, with the matrix at `at`.
struct MappedRows {
  const TensorMap& map;
  int at[3];
};

namespace attention_detail {

/// Places in shared memory that tiles of Bytes pass through, and where a thread is among them: each is filled by the copy
/// engine, then read by warpgroups, round after round.
template <int Places, int Bytes>
struct TileRing {
  static constexpr int tile_bytes = Places * Bytes, barrier_bytes = Places * 16;
  u32 tiles, barriers;
  int place = 0;
  u32 round = 0;  ///< its parity

  BURNISH_DEVICE u32 tile() const { return tiles + place * Bytes; }
  BURNISH_DEVICE u32 filled() const { return barriers + place * 16; }
  BURNISH_DEVICE u32 emptied() const { return filled() + 8; }
  BURNISH_DEVICE void advance() {
    if (++place == Places) place = 0, round ^= 1;
  }
  /// One thread does it.
  BURNISH_DEVICE void make(int readers) {
    for (int i = 0; i < Places; ++i, advance()) make_barrier(filled(), 1), make_barrier(emptied(), readers);
    round = 0;
  }

  /// Has the next place filled with Lines rows from `first` on, in panels of 64 columns; what does not exist is 0. One thread
  /// does it.
  template <int Lines>
  BURNISH_DEVICE void fill(const MappedRows& from, int first) {
    wait_phase(emptied(), round ^ 1);
    arrive_expecting(filled(), Bytes);
#pragma unroll
    for (int panel = 0; panel < Bytes / (Lines * 128); ++panel)
      copy_box(tile() + panel * Lines * 128, from.map, filled(), panel * 64, first, from.at[0], from.at[1],
               from.at[2]);
    advance();
  }
  BURNISH_DEVICE void wait_filled() const { wait_phase(filled(), round); }
  /// For a warp, and goes on to the next place.
  BURNISH_DEVICE void tell_emptied() {
    if (threadIdx.x % 32 == 0) arrive(emptied());
    advance();
  }
};

}  // namespace attention_detail

/// As WarpgroupAttentionTiles, for blocks of Groups warpgroups and one that has tiles copied. Those start their products in turn, so
/// that they take their exponentials in turn too; on an H200 each at its own pace was no faster (1 % at most), and often a tenth slower.
template <class T_, int HeadDim, int ValueDim, int Groups, int KeyTile, int Stages_>
struct SpecialisedAttentionTiles : WarpgroupAttentionTiles<T_, HeadDim, ValueDim, Groups, KeyTile, Stages_> {
  using Tiles = WarpgroupAttentionTiles<T_, HeadDim, ValueDim, Groups, KeyTile, Stages_>;
  static constexpr bool takes_turns = Groups > 1;
  static constexpr int groups = Groups, threads = Tiles::threads + 128;
  using QueryRing = attention_detail::TileRing<1, Tiles::queries * Tiles::head_panels * Tiles::line_bytes>;
  using KeyRing = attention_detail::TileRing<Stages_, Tiles::key_bytes>;
  using ValueRing = attention_detail::TileRing<Stages_, Tiles::value_bytes>;
  static constexpr int result_bytes = Tiles::queries * Tiles::pitch * int(sizeof(T_));
  static constexpr int shared_bytes = 1024 + QueryRing::tile_bytes + KeyRing::tile_bytes +
                                      ValueRing::tile_bytes + result_bytes + QueryRing::barrier_bytes +
                                      2 * KeyRing::barrier_bytes;
  /// What threads have of the registers, which were given to all alike for `resident` blocks of a multiprocessor.
  static constexpr int resident = Groups == 1 ? 2 : 1, copier_registers = Groups == 3 ? 32 : 40,
                       registers = Groups == 1   ? 208
                                   : Groups == 2 ? 232
                                                 : 160;
  static_assert(Groups <= 3);
  static_assert(Tiles::key_bytes % 1024 == 0 && Tiles::value_bytes % 1024 == 0);
};

namespace attention_detail {

template <class C>
struct AttentionRings {
  typename C::QueryRing queries;
  typename C::KeyRing keys;
  typename C::ValueRing values;

  BURNISH_DEVICE AttentionRings(u32 shared, u32 barriers)
      : queries{shared, barriers},
        keys{shared + C::QueryRing::tile_bytes, barriers + C::QueryRing::barrier_bytes},
        values{keys.tiles + C::KeyRing::tile_bytes, keys.barriers + C::KeyRing::barrier_bytes} {}
  /// One thread does it.
  BURNISH_DEVICE void make() {
    queries.make(4 * C::groups);
    keys.make(4 * C::groups);
    values.make(4 * C::groups);
    publish_barriers();
  }
};

/// A warpgroup's turn to start products: the warpgroup before it passes it on.
template <class C>
BURNISH_DEVICE void take_turn(int group) {
  if (C::takes_turns) asm volatile("bar.sync %0, 256;" ::"r"(1 + group) : "memory");
}
template <class C>
BURNISH_DEVICE void pass_turn(int group) {
  const int next = group + 1 == C::groups ? 0 : group + 1;
  if (C::takes_turns) asm volatile("bar.arrive %0, 256;" ::"r"(1 + next) : "memory");
}

/// Has all copied that a tile of queries needs. Keys come a tile ahead of values, as they are read.
template <class C>
BURNISH_DEVICE void copy_tiles(AttentionRings<C>& rings, int tile, const MappedRows& q, const MappedRows& k,
                               const MappedRows& v, int keys) {
  const int tiles = ceil_div(keys, C::keys);
  rings.queries.template fill<C::queries>(q, tile * C::queries);
  rings.keys.template fill<C::keys>(k, 0);
  for (int t = 0; t < tiles; ++t) {
    if (t + 1 < tiles) rings.keys.template fill<C::keys>(k, (t + 1) * C::keys);
    rings.values.template fill<C::keys>(v, t * C::keys);
  }
}

/// Attends to a warpgroup's share of a tile of queries. `first_row`: the warp's.
template <class C, class Mask>
BURNISH_DEVICE void attend(WarpgroupAttention<C>& mine, AttentionRings<C>& rings, int group, int first_row,
                           const Mask& mask, int queries, int keys, float scale) {
  const int tiles = ceil_div(keys, C::keys);
  const float power = scale * 1.4426950408889634f;  // e^x = 2^(x log2 e)
  const float inverse_scale = 1 / scale;
  const u32 lines = rings.queries.tile() + group * 64 * C::line_bytes;
  float scores[C::keys / 8][4];
  rings.queries.wait_filled();
  rings.keys.wait_filled();
  take_turn<C>(group);
  begin_products();
  mine.start_scores(scores, lines, rings.keys.tile());
  pass_turn<C>(group);
  finish_products<0>(scores);
  for (int t = 0;; ++t) {
    rings.keys.tell_emptied();
    if (t + 1 == tiles) rings.queries.tell_emptied();
    add_mask<C>(scores, mask, first_row, queries, t * C::keys, keys, inverse_scale);
    float factor[2];
    mine.raise(scores, power, factor);
    mine.exponentiate(scores, power);
    finish_products<0>(mine.result);
    if (t > 0) rings.values.tell_emptied();
    mine.weigh_result(factor);  // always: a branch here has ptxas 13.0 serialise the products
    mine.take_weights(scores);
    if (t + 1 == tiles) break;
    rings.keys.wait_filled();
    rings.values.wait_filled();
    take_turn<C>(group);
    begin_products();
    mine.start_scores(scores, lines, rings.keys.tile());
    mine.start_values(rings.values.tile(), t > 0);
    pass_turn<C>(group);
    finish_products<1>(scores);
  }
  rings.values.wait_filled();
  begin_products();
  mine.start_values(rings.values.tile(), tiles > 1);
  finish_products<0>(mine.result);
  rings.values.tell_emptied();
}

}  // namespace attention_detail

/// As `attention`, for SpecialisedAttentionTiles C and one key or more: tiles blockIdx.x, blockIdx.x + gridDim.x … of `tiles`.
/// `operands(tile, compute)` calls compute(tile of its head, q, k, v, mask, y, y_row, y_column, aligned) with MappedRows q, k
/// and v, whose boxes are of 64 columns and C::queries or C::keys rows. __launch_bounds__(C::threads, C::resident).
template <class C, class Operands>
BURNISH_DEVICE void specialised_attention(int tiles, int queries, int keys, float scale,
                                          const Operands& operands) {
  using namespace attention_detail;
  using T = typename C::T;
  extern __shared__ __align__(16) u8 attention_shared[];
  const u32 unaligned = shared_address(attention_shared), shared = (unaligned + 1023) / 1024 * 1024;
  const u32 results = shared + C::QueryRing::tile_bytes + C::KeyRing::tile_bytes + C::ValueRing::tile_bytes;
  AttentionRings<C> rings(shared, results + C::result_bytes);
  if (threadIdx.x == 0) rings.make();
  __syncthreads();
  const int warp = __shfl_sync(0xffffffffu, int(threadIdx.x) / 32, 0), group = warp / 4;
  if (group == C::groups) {
    give_up_registers<C::copier_registers>();
    if (threadIdx.x % 128 > 0) return;
    for (int i = blockIdx.x; i < tiles; i += gridDim.x)
      operands(i, [&](int tile, const MappedRows& q, const MappedRows& k, const MappedRows& v, const auto&,
                      T*, i64, i64, bool) { copy_tiles<C>(rings, tile, q, k, v, keys); });
  } else {
    take_registers<C::registers>();
    T* const rows = reinterpret_cast<T*>(attention_shared + (results - unaligned)) + warp * 16 * C::pitch;
    if (group == C::groups - 1) pass_turn<C>(group);  // the first turn
    for (int i = blockIdx.x; i < tiles; i += gridDim.x)
      operands(i, [&](int tile, const MappedRows&, const MappedRows&, const MappedRows&, const auto& mask,
                      T* y, i64 y_row, i64 y_column, bool aligned) {
        const int first_row = tile * C::queries + warp * 16;
        WarpgroupAttention<C> mine;
        attend(mine, rings, group, first_row, mask, queries, keys, scale);
        mine.finish(rows, false);
        __syncwarp();
        write_rows<C>(y + first_row * y_row, y_row, y_column, aligned, rows, queries - first_row);
      });
  }
}

}  // namespace burnish
