// Tensor contraction C[m][n] = sum over k of A(m, k) * B(k, n): matrix products and convolutions of any shape.
//
// A block computes one tile of C. Tiles of A and B pass through a ring of Stages buffers in shared memory, filled by
// asynchronous copies Stages - 1 steps ahead of the multiplication. Operands say how they are fetched
// (contraction_matrix.cuh, conv.cuh); a functor says what happens to the sums.
#pragma once

#include "providers/nvrtc/device/contraction_math.cuh"
#include "providers/nvrtc/device/contraction_matrix.cuh"

namespace burnish {

/// How a contraction is cut up. Launch: block = threads, dynamic shared memory = shared_bytes,
/// grid.x = ceil(m / BM) * ceil(n / BN) * batches (none of them may be 0).
/// A warp's part, BM / WarpsM by BN / WarpsN, must be powers of two, at least 16 by 16; for plain math at least 32 by 16
/// or 16 by 32 (4-byte types). BK * sizeof(T) is 32, 64 or 128 bytes. Carry: see TensorMath.
template <class Element, Math By, int BM, int BN, int BK, int WarpsM, int WarpsN, int Stages,
          bool Carry = true>
struct Contraction {
  using T = Element;
  static constexpr Math math = By;
  static constexpr int block_m = BM, block_n = BN, block_k = BK;
  static constexpr int warps_m = WarpsM, warps_n = WarpsN, stages = Stages;
  static constexpr int warp_m = BM / WarpsM, warp_n = BN / WarpsN;
  static constexpr int threads = 32 * WarpsM * WarpsN;
  static_assert(Stages >= 2);

  template <class A>
  using TileA = Tile<T, A::major, By, BM, BK, threads>;
  template <class B>
  using TileB = Tile<T, B::major, By, BN, BK, threads>;
  template <class A, class B>
  using WarpMath = Choose<By == Math::tensor, TensorMath<TileA<A>, TileB<B>, warp_m, warp_n, Carry>,
                          PlainMath<TileA<A>, TileB<B>, warp_m, warp_n, Carry>>;

  static constexpr int stage_bytes = (BM + BN) * BK * int(sizeof(T));
  /// A warp hands its sums over in slabs of rows; a pitch of 8 more words keeps its lanes' rows in different banks.
  static constexpr int pitch = warp_n + 8;
  using Sum = Choose<By == Math::tensor, float, compute<T>>;
  static constexpr int slab = By == Math::tensor ? 16 : (warp_m >= warp_n ? 8 : 4) * (16 / int(sizeof(T)));
  static constexpr int slab_bytes = slab * pitch * int(sizeof(Sum));
  static constexpr int shared_bytes =
      stage_bytes * Stages > slab_bytes* WarpsM* WarpsN ? stage_bytes* Stages : slab_bytes* WarpsM* WarpsN;
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
  const int tile = blockIdx.x % u32(tiles_m * tiles_n);
  const int first = tile / (height * tiles_n) * height;
  const int rows = least(tiles_m - first, height), rest = tile % (height * tiles_n);
  return {int(blockIdx.x / u32(tiles_m * tiles_n)), (first + rest % rows) * C::block_m,
          rest / rows * C::block_n};
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
      if (m0 + s * C::slab + row < m && n0 + column < n)
        epilogue(m0 + s * C::slab + row, n0 + column, v, count);
    }
  }
}

/// Computes the tile at `place` of C (m by n) with k terms; any extents, k = 0 gives sums of 0.
/// The whole block calls it. `epilogue(row, column, v, count)` is called once for every 8 columns of a row: `v` holds the
/// sums of columns column … column + 7 (column is a multiple of 8) as an array of 8 floats (plain math: of compute<T>), of
/// which the first `count` exist. Neighbouring lanes hold neighbouring columns.
template <class C, class A, class B, class Epilogue>
BURNISH_DEVICE void contract(Place place, const A& a, const B& b, int m, int n, int k,
                             const Epilogue& epilogue) {
  using WarpMath = typename C::template WarpMath<A, B>;
  using TileA = typename C::template TileA<A>;
  using TileB = typename C::template TileB<B>;
  extern __shared__ __align__(128) u8 burnish_shared[];
  const u32 shared = shared_address(burnish_shared);
  const int warp = threadIdx.x / 32;
  const int warp_m0 = warp % C::warps_m * C::warp_m, warp_n0 = warp / C::warps_m * C::warp_n;
  WarpMath math(warp_m0, warp_n0);
  typename A::template Fetch<TileA> fetch_a(a, place.m0, m, k);
  typename B::template Fetch<TileB> fetch_b(b, place.n0, n, k);

  const int steps = ceil_div(k, C::block_k);
#pragma unroll
  for (int s = 0; s < C::stages - 1; ++s) {
    const u32 stage = shared + s * C::stage_bytes;
    if (s < steps) {
      fetch_a.issue(stage, s * C::block_k);
      fetch_b.issue(stage + TileA::bytes, s * C::block_k);
      fetch_a.land(stage);
      fetch_b.land(stage + TileA::bytes);
    }
    commit_copies();
  }

  const auto arrive = [] {
    wait_copies<C::stages - 2>();
    __syncthreads();
  };
  u32 reading = shared, filling = shared + (C::stages - 1) * C::stage_bytes;
  arrive();
  math.begin(reading, reading + TileA::bytes);
  for (int s = 0; s < steps; ++s) {
    const u32 next =
        reading + C::stage_bytes == shared + C::stages * C::stage_bytes ? shared : reading + C::stage_bytes;
    const bool more = s + C::stages - 1 < steps;
    const auto start = [&] {
      if (more) {
        fetch_a.issue(filling, (s + C::stages - 1) * C::block_k);
        fetch_b.issue(filling + TileA::bytes, (s + C::stages - 1) * C::block_k);
      }
      commit_copies();
    };
    const auto turn = [&] {
      if (more) {
        fetch_a.land(filling);
        fetch_b.land(filling + TileA::bytes);
      }
      arrive();  // the next stage has arrived for every thread; nobody reads this one any more
    };
    math.multiply(reading, reading + TileA::bytes, next, next + TileA::bytes, start, turn);
    filling = reading;
    reading = next;
  }
  wait_copies<0>();  // the last turn's barrier has let everybody finish reading
  __syncthreads();
  finish<C>(math, burnish_shared, place.m0 + warp_m0, place.n0 + warp_n0, m, n, epilogue);
}

}  // namespace burnish
