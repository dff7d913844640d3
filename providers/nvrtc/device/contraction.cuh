// Tensor contraction C[m][n] = sum over k of A(m, k) * B(k, n): matrix products and convolutions of any shape.
//
// A block computes one tile of C. Tiles of A and B pass through a ring of Stages buffers in shared memory, filled by
// asynchronous copies some steps ahead of the multiplication. Operands say how they are fetched
// (contraction_matrix.cuh, conv.cuh); a functor says what happens to the sums (contraction_finish.cuh).
#pragma once

#include "providers/nvrtc/device/contraction_finish.cuh"
#include "providers/nvrtc/device/contraction_matrix.cuh"
#include "providers/nvrtc/device/contraction_specialised.cuh"
#include "providers/nvrtc/device/dependent_launch.cuh"

namespace burnish {

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
    if constexpr (C::constant_b) {
      start<Count>(b, shared + TileA::bytes, [] {});
      wait_for_prerequisites();
      start<Count>(a, shared, commit_copies);
    } else {
#pragma unroll
      for (int s = 0; s < Count; ++s) {
        issue(shared + s * C::stage_bytes, s);
        land(shared + s * C::stage_bytes, s);
      }
    }
  }

 private:
  template <int Count, class Fetch, class Commit>
  BURNISH_DEVICE void start(Fetch& fetch, u32 shared, const Commit& commit) {
#pragma unroll
    for (int s = 0; s < Count; ++s) {
      const u32 tile = shared + s * C::stage_bytes;
      if (s < steps) fetch.issue(tile, (first + s) * C::block_k);
      commit();
      if (s < steps) fetch.land(tile);
    }
  }
};

/// The stage after `stage` in the ring that starts at `shared`.
template <class C>
BURNISH_DEVICE u32 stage_after(u32 shared, u32 stage) {
  return stage + C::stage_bytes == shared + C::stages * C::stage_bytes ? shared : stage + C::stage_bytes;
}

/// Adds up all steps, and begins the tile's end meanwhile. Copies run Stages - 1 steps ahead.
template <class C, class WarpMath, class Feed, class Finish, class Rows>
BURNISH_DEVICE void accumulate(WarpMath& math, Feed& feed, u32 shared, Finish& finish, Rows& rows) {
  constexpr int ahead = C::stages - 1, b_tile = Feed::TileA::bytes;
  feed.template begin<ahead>(shared);
  finish.begin();
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
    rows.add(reading, (feed.first + s) * C::block_k, s == 0);
    math.multiply(reading, reading + b_tile, next, next + b_tile, start, turn);
    filling = reading;
    reading = next;
  }
}

/// The same for warpgroups, whose products run beside them: one step's are still under way when the next one's start, so
/// copies run Stages - 2 steps ahead. There is at least one step.
template <class C, class WarpgroupMath, class Feed, class Finish, class Rows>
BURNISH_DEVICE void accumulate_beside(WarpgroupMath& math, Feed& feed, u32 shared, Finish& finish,
                                      Rows& rows) {
  static_assert(C::stages >= 3);
  constexpr int ahead = C::stages - 2, b_tile = Feed::TileA::bytes;
  feed.template begin<ahead>(shared);
  finish.begin();
  u32 reading = shared, filling = shared + ahead * C::stage_bytes;
  int s = 0;
  do {
    wait_copies<ahead - 1>();
    publish_shared();
    __syncthreads();  // this stage has arrived for every thread; nobody multiplies the one to fill any more
    math.start(reading, reading + b_tile, s == 0);
    feed.issue(filling, s + ahead);
    rows.add(reading, (feed.first + s) * C::block_k, s == 0);
    wait_products<1>();
    feed.land(filling, s + ahead);
    reading = stage_after<C>(shared, reading);
    filling = stage_after<C>(shared, filling);
  } while (++s < feed.steps);
  math.finish();
}

/// Computes one tile.
template <class C, class A, class B, class Epilogue>
BURNISH_DEVICE void contract_tile(Place place, const A& a, const B& b, int m, int n, int k, RowScale scale,
                                  const Epilogue& epilogue) {
  using WarpMath = typename C::template WarpMath<A, B>;
  using Feeds = Feed<C, A, B>;
  extern __shared__ __align__(128) u8 burnish_shared[];
  const u32 shared = stages_of<C>();
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
  RowsOf<C, typename Feeds::TileA> rows(row, k);
  const auto compute = [&](auto& finish) {
    if constexpr (C::math == Math::warpgroup) accumulate_beside<C>(math, feed, shared, finish, rows);
    else accumulate<C>(math, feed, shared, finish, rows);
    if constexpr (C::slices > 1) rows.leave(shared + C::parts_from);
    else rows.end(place.rows, scale);
    wait_copies<0>();
    __syncthreads();  // everybody has finished reading
  };
  const ResultWindow of_warp{place.m0 + row, place.n0 + column, m, n};
  if constexpr (C::slices > 1) {
    JointFinish<C, C::threads, Epilogue> finish({place.m0, place.n0, m, n}, epilogue, threadIdx.x);
    compute(finish);
    finish.end(math, true, reinterpret_cast<float*>(burnish_shared), row, column, [&] {
      if constexpr (C::norm != RowNorm::none) {
        join_rows<C, 1>(shared + C::parts_from, place.rows, scale, threadIdx.x, C::threads);
        __syncthreads();
      }
    });
  } else if constexpr (Feeds::TileB::spread) {
    InPlaceFinish<WarpMath, Epilogue, held_registers<C>()> finish(of_warp, epilogue);
    compute(finish);
    finish.end(math);
  } else {
    SlabFinish<C, Epilogue> finish(of_warp, epilogue);
    compute(finish);
    finish.end(math, burnish_shared);
  }
}

/// Computes C (m by n) of every batch with k terms; any extents, k = 0 gives sums of 0. The whole block calls it.
/// `operands(place, compute)` calls compute(a, b, epilogue) with those of a tile's batch. The epilogue is called once for every
/// 8 columns of a row, from a multiple of 8 on, of which `count` exist, with their sums as 8 floats (plain math: of compute<T>).
/// Neighbouring lanes hold neighbouring columns. `scale`: of rows that are normalised, whose epilogue finds `place.rows[m]` when it
/// makes results.
template <class C, class Operands>
BURNISH_DEVICE void contract(int m, int n, int k, int batches, const Operands& operands,
                             RowScale scale = {}) {
  if constexpr (C::teams > 0) {
    contract_specialised<C>(m, n, k, batches, operands, scale);
  } else {
    Place place = place_of<C>(m, n, blockIdx.x / u32(C::slices));
    place.rows = scales_of<C>(stages_of<C>());
    operands(place, [&](const auto& a, const auto& b, const auto& epilogue) {
      contract_tile<C>(place, a, b, m, n, k, scale, epilogue);
    });
  }
}

}  // namespace burnish
