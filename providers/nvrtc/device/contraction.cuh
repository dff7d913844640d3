// Tensor contraction C[m][n] = sum over k of A(m, k) * B(k, n): matrix products and convolutions of any shape.
//
// A block computes one tile of C. Tiles of A and B pass through a ring of Stages buffers in shared memory, filled by
// asynchronous copies some steps ahead of the multiplication. Operands say how they are fetched
// (contraction_matrix.cuh, conv.cuh); a functor says what happens to the sums.
#pragma once

#include "providers/nvrtc/device/cluster.cuh"
#include "providers/nvrtc/device/contraction_matrix.cuh"
#include "providers/nvrtc/device/contraction_warpgroup.cuh"

namespace burnish {

/// How a contraction is cut up. Launch: block = threads, dynamic shared memory = shared_bytes,
/// grid.x = ceil(m / BM) * ceil(n / BN) * batches (none of them may be 0).
/// A warp's part, BM / WarpsM by BN / WarpsN, must be powers of two, at least 16 by 16; for plain math at least 32 by 16
/// or 16 by 32 (4-byte types). BK * sizeof(T) is 32, 64 or 128 bytes. Carry: see TensorMath.
/// Math::warpgroup (sm_90a, 16-bit types): WarpsM is a multiple of 4, and four warps' part is 64, 128 … by 64, 128 or 256;
/// BK is a multiple of 64, and so is the extent of a tile of Major::mn.
/// Slices > 1 (sm_90 and later, sums of float): a cluster of as many blocks (`__cluster_dims__`) shares a tile, each with its
/// part of k; grid.x grows by it.
template <class Element, Math By, int BM, int BN, int BK, int WarpsM, int WarpsN, int Stages,
          bool Carry = true, int Slices = 1>
struct Contraction {
  using T = Element;
  static constexpr Math math = By;
  static constexpr int block_m = BM, block_n = BN, block_k = BK;
  static constexpr int warps_m = WarpsM, warps_n = WarpsN, stages = Stages;
  static constexpr int warp_m = BM / WarpsM, warp_n = BN / WarpsN;
  static constexpr int threads = 32 * WarpsM * WarpsN, slices = Slices;
  static_assert(Stages >= 2);

  template <class A>
  using TileA = Tile<T, A::major, By, BM, BK, threads>;
  template <class B>
  using TileB = Tile<T, B::major, By, BN, BK, threads>;
  template <class A, class B>
  using WarpMath = Choose<By == Math::tensor, TensorMath<TileA<A>, TileB<B>, warp_m, warp_n, Carry>,
                          Choose<By == Math::warpgroup, WarpgroupMath<TileA<A>, TileB<B>, 4 * warp_m, warp_n>,
                                 PlainMath<TileA<A>, TileB<B>, warp_m, warp_n, Carry>>>;

  static constexpr int stage_bytes = (BM + BN) * BK * int(sizeof(T));
  /// A warp hands its sums over in slabs of rows; a pitch of 8 more words keeps its lanes' rows in different banks.
  static constexpr int pitch = warp_n + 8;
  using Sum = Choose<By == Math::plain, compute<T>, float>;
  static_assert(Slices == 1 || is_same<Sum, float>);
  static constexpr int slab = By == Math::plain ? (warp_m >= warp_n ? 8 : 4) * (16 / int(sizeof(T))) : 16;
  static constexpr int slab_bytes = slab * pitch * int(sizeof(Sum));
  /// What a block hands over: its warps' slabs one at a time, or all sums of the tile to the other blocks of a cluster.
  static constexpr int tile_pitch = BN + 8;
  static constexpr int sums_bytes = Slices > 1 ? BM* tile_pitch* int(sizeof(Sum))
                                               : slab_bytes* WarpsM* WarpsN;
  /// Stages start at a multiple of this; the block's own memory, at one of 128.
  static constexpr int alignment = By == Math::warpgroup ? 1024 : 128;
  static constexpr int shared_bytes =
      (stage_bytes * Stages > sums_bytes ? stage_bytes * Stages : sums_bytes) + (alignment - 128);

  /// Where a warp's rows begin, and how far its slabs lie apart: warps of a warpgroup take turns of 16 rows.
  static BURNISH_DEVICE int first_row(int warp) {
    return By == Math::warpgroup ? warp / 4 * 4 * warp_m + warp % 4 * 16 : warp * warp_m;
  }
  static constexpr int slab_step = By == Math::warpgroup ? 64 : slab;
};

/// Which tile of which batch a block computes.
struct Place {
  int batch, m0, n0;
};

/// Blocks that run together take tiles of 8 rows of tiles, column after column, so that they share operands in L2.
template <class C>
BURNISH_DEVICE Place place_of(int m, int n) {
  constexpr int height = 8;
  const int tiles_m = greatest(ceil_div(m, C::block_m), 1), tiles_n = greatest(ceil_div(n, C::block_n), 1);
  const u32 block = blockIdx.x / u32(C::slices);
  const int tile = block % u32(tiles_m * tiles_n);
  const int first = tile / (height * tiles_n) * height;
  const int rows = least(tiles_m - first, height), rest = tile % (height * tiles_n);
  return {int(block / u32(tiles_m * tiles_n)), (first + rest % rows) * C::block_m, rest / rows * C::block_n};
}

/// A batch number taken apart into up to four coordinates, the last one fastest.
struct BatchIndex {
  int at[4];
  BURNISH_DEVICE BatchIndex(int batch, int extent1, int extent2, int extent3) {
    at[3] = batch % extent3;
    at[2] = batch / extent3 % extent2;
    at[1] = batch / extent3 / extent2 % extent1;
    at[0] = batch / extent3 / extent2 / extent1;
  }
  /// Elements from the first batch, given an operand's strides (0 where it is broadcast).
  BURNISH_DEVICE i64 offset(i64 stride0, i64 stride1, i64 stride2, i64 stride3) const {
    return at[0] * stride0 + at[1] * stride1 + at[2] * stride2 + at[3] * stride3;
  }
};

/// Gives the functor the sums, 8 columns of a row at a time, through shared memory that the pipeline no longer needs.
template <class C, class WarpMath, class Epilogue>
BURNISH_DEVICE void finish(const WarpMath& math, void* shared, int m0, int n0, int m, int n,
                           const Epilogue& epilogue) {
  using Sum = typename C::Sum;
  constexpr int width = 8, row_parts = C::warp_n / width;
  static_assert(WarpMath::slab == C::slab);
  const int lane = threadIdx.x % 32;
  Sum* rows = static_cast<Sum*>(shared) + threadIdx.x / 32 * (C::slab * C::pitch);
#pragma unroll
  for (int s = 0; s < C::warp_m / C::slab; ++s) {
    __syncwarp();
    math.put(rows, C::pitch, s);
    __syncwarp();
#pragma unroll
    for (int i = 0; i < C::slab * row_parts / 32; ++i) {
      const int row = (lane + i * 32) / row_parts, column = (lane + i * 32) % row_parts * width;
      Sum v[width];
      load_vector<Sum, width>(rows + row * C::pitch + column, v);
      const int count = n % width == 0 ? width : least(n - n0 - column, width);  // a literal where n is one
      if (m0 + s * C::slab_step + row < m && n0 + column < n)
        epilogue(m0 + s * C::slab_step + row, n0 + column, v, count);
    }
  }
}

/// The same for blocks that share a tile: each sums up its part of the tile, slice after slice, out of their memory.
template <class C, class WarpMath, class Epilogue>
BURNISH_DEVICE void finish_together(const WarpMath& math, float* shared, int row0, int column0, Place place,
                                    int m, int n, const Epilogue& epilogue) {
  constexpr int width = 8, row_parts = C::block_n / width, share = C::block_m * row_parts / C::slices;
#pragma unroll
  for (int s = 0; s < C::warp_m / C::slab; ++s)
    math.put(shared + (row0 + s * C::slab_step) * C::tile_pitch + column0, C::tile_pitch, s);
  synchronize_cluster();
  for (int i = threadIdx.x; i < share; i += C::threads) {
    const int part = blockIdx.x % C::slices * share + i, row = part / row_parts,
              column = part % row_parts * width;
    const u32 here = shared_address(shared + row * C::tile_pitch + column);
    float v[width] = {};
#pragma unroll
    for (int slice = 0; slice < C::slices; ++slice) {
      const u32 there = address_in_block(here, slice);
      const float4 low = load_cluster(there), high = load_cluster(there + 16);
      v[0] += low.x, v[1] += low.y, v[2] += low.z, v[3] += low.w;
      v[4] += high.x, v[5] += high.y, v[6] += high.z, v[7] += high.w;
    }
    const int count = n % width == 0 ? width : least(n - place.n0 - column, width);
    if (place.m0 + row < m && place.n0 + column < n) epilogue(place.m0 + row, place.n0 + column, v, count);
  }
  synchronize_cluster();  // nobody leaves while its memory is read
}

/// Fills stages of the ring with tiles of both operands.
template <class C, class A, class B>
struct Feed {
  using TileA = typename C::template TileA<A>;
  using TileB = typename C::template TileB<B>;
  typename A::template Fetch<TileA> a;
  typename B::template Fetch<TileB> b;
  int first, steps;  ///< of all steps, those that this block adds up

  /// Starts the copies of a step, if there is one; `land` ends what the threads do for it.
  BURNISH_DEVICE void issue(u32 stage, int step) {
    if (step < steps) {
      a.issue(stage, (first + step) * C::block_k);
      b.issue(stage + TileA::bytes, (first + step) * C::block_k);
    }
    commit_copies();
  }
  BURNISH_DEVICE void land(u32 stage, int step) {
    if (step < steps) {
      a.land(stage);
      b.land(stage + TileA::bytes);
    }
  }
  /// Starts the first Count steps.
  template <int Count>
  BURNISH_DEVICE void begin(u32 shared) {
#pragma unroll
    for (int s = 0; s < Count; ++s) {
      issue(shared + s * C::stage_bytes, s);
      land(shared + s * C::stage_bytes, s);
    }
  }
};

/// The stage after `stage` in the ring that starts at `shared`.
template <class C>
BURNISH_DEVICE u32 stage_after(u32 shared, u32 stage) {
  return stage + C::stage_bytes == shared + C::stages * C::stage_bytes ? shared : stage + C::stage_bytes;
}

/// Adds up all steps. Copies run Stages - 1 steps ahead.
template <class C, class WarpMath, class Feed>
BURNISH_DEVICE void accumulate(WarpMath& math, Feed& feed, u32 shared) {
  constexpr int ahead = C::stages - 1, b_tile = Feed::TileA::bytes;
  feed.template begin<ahead>(shared);
  const auto arrive = [] {
    wait_copies<ahead - 1>();
    __syncthreads();
  };
  u32 reading = shared, filling = shared + ahead * C::stage_bytes;
  arrive();
  math.begin(reading, reading + b_tile);
  for (int s = 0; s < feed.steps; ++s) {
    const u32 next = stage_after<C>(shared, reading);
    const auto start = [&] { feed.issue(filling, s + ahead); };
    const auto turn = [&] {
      feed.land(filling, s + ahead);
      arrive();  // the next stage has arrived for every thread; nobody reads this one any more
    };
    math.multiply(reading, reading + b_tile, next, next + b_tile, start, turn);
    filling = reading;
    reading = next;
  }
}

/// The same for warpgroups, whose products run beside them: one step's are still under way when the next one's start, so
/// copies run Stages - 2 steps ahead. There is at least one step.
template <class C, class WarpgroupMath, class Feed>
BURNISH_DEVICE void accumulate_beside(WarpgroupMath& math, Feed& feed, u32 shared) {
  static_assert(C::stages >= 3);
  constexpr int ahead = C::stages - 2, b_tile = Feed::TileA::bytes;
  feed.template begin<ahead>(shared);
  u32 reading = shared, filling = shared + ahead * C::stage_bytes;
  int s = 0;
  do {
    wait_copies<ahead - 1>();
    publish_shared();
    __syncthreads();  // this stage has arrived for every thread; nobody multiplies the one to fill any more
    math.start(reading, reading + b_tile, s == 0);
    feed.issue(filling, s + ahead);
    wait_products<1>();
    feed.land(filling, s + ahead);
    reading = stage_after<C>(shared, reading);
    filling = stage_after<C>(shared, filling);
  } while (++s < feed.steps);
  math.finish();
}

/// Computes the tile at `place` of C (m by n) with k terms; any extents, k = 0 gives sums of 0.
/// The whole block calls it. `epilogue(row, column, v, count)` is called once for every 8 columns of a row: `v` holds the
/// sums of columns column … column + 7 (column is a multiple of 8) as an array of 8 floats (plain math: of compute<T>), of
/// which the first `count` exist. Neighbouring lanes hold neighbouring columns.
template <class C, class A, class B, class Epilogue>
BURNISH_DEVICE void contract(Place place, const A& a, const B& b, int m, int n, int k,
                             const Epilogue& epilogue) {
  using WarpMath = typename C::template WarpMath<A, B>;
  using Feeds = Feed<C, A, B>;
  extern __shared__ __align__(128) u8 burnish_shared[];
  const u32 shared = (shared_address(burnish_shared) + (C::alignment - 1)) & ~u32(C::alignment - 1);
  const int warp = __shfl_sync(~0u, threadIdx.x / 32, 0);  // tells that a warp shares it
  const int row = C::first_row(warp % C::warps_m), column = warp / C::warps_m * C::warp_n;
  WarpMath math(C::math == Math::warpgroup ? row & -64 : row, column);
  const int all = ceil_div(k, C::block_k), most = ceil_div(all, C::slices);
  const int first = C::slices > 1 ? int(blockIdx.x % C::slices) * most : 0;
  const int steps = C::slices > 1 ? least(most, all - first) : all;  // beyond k operands are 0
  Feeds feed{{a, place.m0, m, k},
             {b, place.n0, n, k},
             first,
             C::math == Math::warpgroup ? greatest(steps, 1) : steps};
  if constexpr (C::math == Math::warpgroup) accumulate_beside<C>(math, feed, shared);
  else accumulate<C>(math, feed, shared);
  wait_copies<0>();
  __syncthreads();  // everybody has finished reading
  if constexpr (C::slices > 1)
    finish_together<C>(math, reinterpret_cast<float*>(burnish_shared), row, column, place, m, n, epilogue);
  else finish<C>(math, burnish_shared, place.m0 + row, place.n0 + column, m, n, epilogue);
}

}  // namespace burnish
