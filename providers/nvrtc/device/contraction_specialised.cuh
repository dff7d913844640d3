// Contractions whose warpgroups share the work out (sm_90a): one copies tiles of A and B into the ring, tile of C after tile,
// the others multiply, in teams that take tiles of C in turn. While a team ends its tile, copies for the next one are under way,
// and another team multiplies it.
#pragma once

#include "providers/nvrtc/device/contraction_finish.cuh"
#include "providers/nvrtc/device/contraction_map.cuh"
#include "providers/nvrtc/device/dependent_launch.cuh"

namespace burnish {

/// Where a thread is in the ring of stages: steps take them one after the other, round after round.
template <class C>
struct Ring {
  u32 shared;  ///< the stages, then for each a barrier that it is filled and one that it is read, then the teams' turns
  int stage = 0;
  u32 round = 0;  ///< its parity

  BURNISH_DEVICE u32 tiles() const { return shared + stage * C::stage_bytes; }
  BURNISH_DEVICE u32 filled() const { return shared + C::stages * C::stage_bytes + stage * 16; }
  BURNISH_DEVICE u32 emptied() const { return filled() + 8; }
  /// A phase for each time that the other team has been given all of its steps.
  BURNISH_DEVICE u32 turn(int team) const { return shared + C::stages * (C::stage_bytes + 16) + team * 8; }
  BURNISH_DEVICE void advance() {
    if (++stage == C::stages) stage = 0, round ^= 1;
  }
  BURNISH_DEVICE void skip(int steps) {
    round ^= (stage + steps) / C::stages & 1;
    stage = (stage + steps) % C::stages;
  }
  /// One thread does it.
  BURNISH_DEVICE void make() {
    for (int i = 0; i < C::stages; ++i, advance()) {
      make_barrier(filled(), C::fillers);
      make_barrier(emptied(), C::warps_m * C::warps_n);
    }
    round = 0;
    for (int team = 0; team < C::teams; ++team) make_barrier(turn(team), C::warps_m * C::warps_n);
    publish_barriers();
  }
};

/// Starts the copies of one operand's tile. The engine's are started by one thread, others by all.
template <class Operand, class Copier>
BURNISH_DEVICE void issue(const Copier& copier, u32 tile, int k0, u32 filled) {
  if constexpr (!is_mapped<Operand>) copier.issue(tile, k0);
  else if (threadIdx.x == 0) copier.issue(tile, k0, filled);
}

/// Waits for all threads that multiply.
template <class C>
BURNISH_DEVICE void synchronize_multipliers() {
  asm volatile("bar.sync 1, %0;" ::"n"(C::threads - C::copiers) : "memory");
}

/// Copies B of a step into the next stage, which is empty.
template <class C, class A, class B, class Copier>
BURNISH_DEVICE void fill_b(const Ring<C>& ring, const Copier& copier, int k0) {
  using TileA = typename C::template TileA<A>;
  using TileB = typename C::template TileB<B>;
  constexpr int mapped_bytes = (is_mapped<A> ? TileA::bytes : 0) + (is_mapped<B> ? TileB::bytes : 0);
  if (mapped_bytes > 0 && threadIdx.x == 0) arrive_expecting(ring.filled(), mapped_bytes);
  issue<B>(copier, ring.tiles() + TileA::bytes, k0, ring.filled());
}

/// Copies B of the first steps of a block's first tile, as far as there are stages, and then waits for what A depends on. Gives
/// how many steps.
template <class C, class A, class B>
BURNISH_DEVICE int begin_fill(Ring<C> ring, const B& b, Place place, int n, int k, int first, int steps) {
  const typename B::template Copier<typename C::template TileB<B>> copier(b, place.n0, n, k);
  const int begun = least(steps, C::stages);
  for (int s = 0; s < begun; ++s, ring.advance()) fill_b<C, A, B>(ring, copier, (first + s) * C::block_k);
  wait_for_prerequisites();
  return begun;
}

/// Copies steps [first, first + steps) of a tile; of the first `begun` of them, B is on its way.
template <class C, class A, class B>
BURNISH_DEVICE void fill(Ring<C>& ring, const A& a, const B& b, Place place, int m, int n, int k, int first,
                         int steps, int begun) {
  const typename A::template Copier<typename C::template TileA<A>> copy_a(a, place.m0, m, k);
  const typename B::template Copier<typename C::template TileB<B>> copy_b(b, place.n0, n, k);
  for (int s = 0; s < steps; ++s, ring.advance()) {
    const int k0 = (first + s) * C::block_k;
    if (s >= begun) {
      wait_phase(ring.emptied(), ring.round ^ 1);
      fill_b<C, A, B>(ring, copy_b, k0);
    }
    issue<A>(copy_a, ring.tiles(), k0, ring.filled());
    if (C::mapped < 2) arrive_when_copied(ring.filled());
  }
}

/// Adds up `steps` steps of a tile from `first` on, every Stride-th one of the ring. Gives the barrier of the last one's stage, which
/// is yet to be told that it is read.
template <class C, int BTile, int Stride, class WarpgroupMath, class Rows>
BURNISH_DEVICE u32 accumulate_steps(Ring<C>& ring, WarpgroupMath& math, Rows& rows, int first, int steps) {
  const bool tells = threadIdx.x % 32 == 0;
  u32 read = 0;
  for (int s = 0; s < steps; ++s) {
    wait_phase(ring.filled(), ring.round);
    if (C::mapped < 2) publish_shared();  // what threads' copies wrote, to the products
    math.start(ring.tiles(), ring.tiles() + BTile, s == 0);
    wait_products<1>();
    if (s > 0 && tells) arrive(read);
    rows.add(ring.tiles(), (first + s * Stride) * C::block_k, s == 0);
    read = ring.emptied();
    if constexpr (Stride == 1) ring.advance();
    else ring.skip(Stride);
  }
  return read;
}

/// Multiplies all steps of a tile, and ends it. `warp`: of the team. Two teams take turns: a barrier tells phases of different
/// parity apart, and so no more than the last one and the next.
template <class C, class A, class B, class Epilogue>
BURNISH_DEVICE void multiply_tile(Ring<C>& ring, int warp, int team, u32 parity, Place place, int m, int n,
                                  int k, int steps, RowScale scale, const Epilogue& epilogue) {
  static_assert(C::template TileB<B>::spread);
  const int row = C::first_row(warp % C::warps_m), column = warp / C::warps_m * C::warp_n;
  const bool tells = threadIdx.x % 32 == 0;
  using WarpgroupMath = typename C::template WarpMath<A, B>;
  WarpgroupMath math(row & -64, column);
  InPlaceFinish<WarpgroupMath, Epilogue, held_registers<C>()> finish(
      {place.m0 + row, place.n0 + column, m, n}, epilogue);
  RowsOf<C, typename C::template TileA<A>> rows(row, k);
  finish.begin();
  if (C::teams > 1) wait_phase(ring.turn(team), parity);
  const u32 read = accumulate_steps<C, C::template TileA<A>::bytes, 1>(ring, math, rows, 0, steps);
  if (C::teams > 1 && tells) arrive(ring.turn(team ^ 1));
  math.finish();
  if (tells) arrive(read);
  rows.end(place.rows, scale);
  finish.end(math);
}

/// Multiplies a slice of a tile, of whose `steps`, from `first` on, each team has its share, and ends it with the other slices.
template <class C, class A, class B, class Epilogue>
BURNISH_DEVICE void multiply_slice(Ring<C>& ring, float* shared, int warp, int team, Place place, int m,
                                   int n, int k, int first, int steps, RowScale scale,
                                   const Epilogue& epilogue) {
  const int row = C::first_row(warp % C::warps_m), column = warp / C::warps_m * C::warp_n;
  constexpr int threads = C::threads - C::copiers;
  typename C::template WarpMath<A, B> math(row & -64, column);
  JointFinish<C, threads, Epilogue> finish({place.m0, place.n0, m, n}, epilogue, threadIdx.x - C::copiers);
  RowsOf<C, typename C::template TileA<A>> rows(row, k);
  const u32 stages = ring.shared, parts = stages + C::parts_from;
  finish.begin();
  ring.skip(team);
  accumulate_steps<C, C::template TileA<A>::bytes, C::teams>(ring, math, rows, first + team,
                                                             ceil_div(steps - team, C::teams));
  math.finish();
  rows.leave(parts + team * C::parts_bytes);
  synchronize_multipliers<C>();  // nobody reads the ring any more
  if constexpr (C::teams > 1) {
    float4* held = reinterpret_cast<float4*>(shared) + threadIdx.x % 128;
    if (team == 1) math.leave(held);
    synchronize_multipliers<C>();
    if (team == 0) math.add(held);
    shared += C::block_m * C::tile_pitch;
  }
  finish.end(math, team == 0, shared, row, column, [&] {
    if constexpr (C::norm != RowNorm::none) {
      join_rows<C, C::teams>(parts, place.rows, scale, threadIdx.x - C::copiers, threads);
      synchronize_multipliers<C>();
    }
  });
}

/// As `contract`.
template <class C, class Operands>
BURNISH_DEVICE void contract_specialised(int m, int n, int k, int batches, const Operands& operands,
                                         RowScale scale) {
  constexpr int team_warps = C::warps_m * C::warps_n;
  static_assert(C::math == Math::warpgroup && team_warps * C::teams == 8 && C::block_k == 64);
  extern __shared__ __align__(128) u8 burnish_shared[];
  Ring<C> ring{stages_of<C>()};
  if (threadIdx.x == 0) ring.make();
  __syncthreads();
  const u32 tiles = u32(tiles_of<C>(m, n)) * batches;
  // Every team of every slice has a step: beyond k operands are 0.
  const int all = greatest(ceil_div(k, C::block_k), 1);
  const int most = greatest(ceil_div(all, C::slices), C::teams);
  const int first = C::slices > 1 ? int(blockIdx.x % C::slices) * most : 0;
  const int steps = C::slices > 1 ? greatest(least(most, all - first), C::teams) : all;
  const u32 begin = blockIdx.x / C::slices, stride = C::slices > 1 ? tiles : gridDim.x;
  const int warp = __shfl_sync(~0u, threadIdx.x / 32, 0) - C::copiers / 32;
  if (warp < 0) {
    give_up_registers<56>();
    if (C::mapped == 2 && threadIdx.x != 0) return;
    for (u32 tile = begin; tile < tiles; tile += stride) {
      const Place place = place_of<C>(m, n, tile);
      operands(place, [&]<class A, class B>(const A& a, const B& b, const auto&) {
        int begun = 0;
        if (C::constant_b && tile == begin) begun = begin_fill<C, A>(ring, b, place, n, k, first, steps);
        fill<C>(ring, a, b, place, m, n, k, first, steps, begun);
      });
    }
    commit_copies();
    wait_copies<0>();
  } else if constexpr (C::slices > 1) {
    take_registers<224>();
    if (C::constant_b) wait_for_prerequisites();  // before what the epilogue reads and writes
    Place place = place_of<C>(m, n, begin);
    place.rows = scales_of<C>(ring.shared);
    operands(place, [&]<class A, class B>(const A&, const B&, const auto& epilogue) {
      multiply_slice<C, A, B>(ring, reinterpret_cast<float*>(burnish_shared), warp % team_warps,
                              warp / team_warps, place, m, n, k, first, steps, scale, epilogue);
    });
  } else {
    take_registers<224>();
    if (C::constant_b) wait_for_prerequisites();
    const int team = warp / team_warps;
    ring.skip(team * steps);
    u32 parity = team ^ 1;  // the first team's first turn needs no other
    for (u32 tile = begin + team * stride; tile < tiles; tile += C::teams * stride, parity ^= 1) {
      Place place = place_of<C>(m, n, tile);
      place.rows = scales_of<C>(ring.shared, team);
      operands(place, [&]<class A, class B>(const A&, const B&, const auto& epilogue) {
        multiply_tile<C, A, B>(ring, warp % team_warps, team, parity, place, m, n, k, steps, scale, epilogue);
      });
      ring.skip((C::teams - 1) * steps);
    }
  }
}

}  // namespace burnish
