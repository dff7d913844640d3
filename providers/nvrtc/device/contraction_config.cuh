// How a contraction is cut into tiles, and which block computes which.
#pragma once

#include "providers/nvrtc/device/contraction_math.cuh"
#include "providers/nvrtc/device/contraction_rows.cuh"
#include "providers/nvrtc/device/contraction_warpgroup.cuh"

namespace burnish {

/// How a contraction is cut up. Launch: block = threads, dynamic shared memory = shared_bytes,
/// grid.x = ceil(m / BM) * ceil(n / BN) * batches (none of them may be 0).
/// A warp's part, BM / WarpsM by BN / WarpsN, must be powers of two, at least 16 by 16; for plain math at least 32 by 16
/// or 16 by 32 (4-byte types). BK * sizeof(T) is 32, 64 or 128 bytes. Carry: see TensorMath.
/// Math::warpgroup (sm_90a, 16-bit types): WarpsM is a multiple of 4, and four warps' part is 64, 128 … by 64, 128 or 256 (96
/// and 192 as well where B is of Major::k);
/// BK is a multiple of 64, and so is the extent of a tile of Major::mn.
/// Slices > 1 (sm_90 and later, sums of float): a cluster of as many blocks (`__cluster_dims__`) shares a tile, each with its
/// part of k; grid.x grows by it.
/// Teams > 0 (Math::warpgroup, operands copied 16 bytes at a time, B of Major::k): see contraction_specialised.cuh. WarpsM *
/// WarpsN * Teams is 8, BK is 64, and any grid will do: blocks share the tiles out. With slices, a cluster computes one tile,
/// and teams take steps of its slices in turn.
/// Mapped (Teams > 0): how many operands are a MappedOperand; if one, it is B.
/// ConstantB: B is there before earlier kernels end. Its first tiles are fetched before `wait_for_prerequisites`, which then is
/// the contraction's to call.
/// Norm: how rows of A are normalised first (16-bit types, A of Major::k); see contraction_rows.cuh.
template <class Element, Math By, int BM, int BN, int BK, int WarpsM, int WarpsN, int Stages,
          bool Carry = true, int Slices = 1, int Teams = 0, int Mapped = 0, bool ConstantB = false,
          RowNorm Norm = RowNorm::none>
struct Contraction {
  using T = Element;
  static constexpr Math math = By;
  static constexpr int block_m = BM, block_n = BN, block_k = BK;
  static constexpr int warps_m = WarpsM, warps_n = WarpsN, stages = Stages;
  static constexpr int warp_m = BM / WarpsM, warp_n = BN / WarpsN;
  static constexpr int teams = Teams, slices = Slices, mapped = Mapped;
  static constexpr bool constant_b = ConstantB;
  static constexpr RowNorm norm = Norm;
  /// Threads that copy: a warpgroup of its own, or all.
  static constexpr int copiers = Teams > 0 ? 128 : 32 * WarpsM* WarpsN;
  static constexpr int threads = Teams > 0 ? 128 + 32 * WarpsM* WarpsN* Teams : copiers;
  /// Arrivals that fill a stage: of the threads that copy, and of the one that has the engine copy.
  static constexpr int fillers = (Mapped < 2 ? copiers : 0) + (Mapped > 0 ? 1 : 0);
  static_assert(Stages >= 2 && (Mapped == 0 || Teams > 0));

  template <class A>
  using TileA = Tile<T, A::major, By, BM, BK, copiers>;
  template <class B>
  using TileB = Tile<T, B::major, By, BN, BK, copiers, By == Math::warpgroup && B::major == Major::k>;
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
  static constexpr int sums_bytes = Slices > 1 ? BM* tile_pitch* int(sizeof(Sum)) * (Teams > 1 ? Teams : 1)
                                               : slab_bytes* WarpsM* WarpsN;
  /// Stages start at a multiple of this; the block's own memory, at one of 128.
  static constexpr int alignment = By == Math::warpgroup ? 1024 : 128;
  static constexpr int barrier_bytes = Teams > 0 ? 16 * Stages + 8 * Teams : 0;
  static constexpr int ring_bytes =
      (stage_bytes * Stages > sums_bytes ? stage_bytes * Stages : sums_bytes) + barrier_bytes;
  /// After it, where rows are normalised: what a cluster's parts of k leave of them, then scales, for each team.
  static constexpr int parts_from = (ring_bytes + 15) / 16 * 16, parts_bytes = Slices > 1 ? BM * 16 : 0,
                       scales_from = parts_from + parts_bytes * (Teams > 1 ? Teams : 1);
  static constexpr int shared_bytes =
      (Norm == RowNorm::none ? ring_bytes : scales_from + BM * 4 * (Teams > 1 ? Teams : 1)) +
      (alignment - 128);
  static_assert(Teams == 0 || Slices == 1 || sums_bytes <= stage_bytes * Stages);

  /// Where a warp's rows begin, and how far its slabs lie apart: warps of a warpgroup take turns of 16 rows.
  static BURNISH_DEVICE int first_row(int warp) {
    return By == Math::warpgroup ? warp / 4 * 4 * warp_m + warp % 4 * 16 : warp * warp_m;
  }
  static constexpr int slab_step = By == Math::warpgroup ? 64 : slab;
};

/// Which tile of which batch a block computes.
struct Place {
  int batch, m0, n0;
  RowScales rows = {};  ///< of the tile's rows, where they are normalised
};

/// Where a block's stages start.
template <class C>
BURNISH_DEVICE u32 stages_of() {
  extern __shared__ __align__(128) u8 burnish_shared[];
  return (shared_address(burnish_shared) + (C::alignment - 1)) & ~u32(C::alignment - 1);
}

/// Where the scales of a team's rows are, given where stages start.
template <class C>
BURNISH_DEVICE RowScales scales_of(u32 shared, int team = 0) {
  return {shared + C::scales_from + team * (C::block_m * 4), C::block_m - 1};
}

/// Tiles of one matrix of a batch.
template <class C>
BURNISH_DEVICE int tiles_of(int m, int n) {
  return greatest(ceil_div(m, C::block_m), 1) * greatest(ceil_div(n, C::block_n), 1);
}

/// Where tile number `index` of all batches lies. Blocks that run together take tiles of 8 rows of tiles, column after column,
/// so that they share operands in L2.
template <class C>
BURNISH_DEVICE Place place_of(int m, int n, u32 index) {
  constexpr int height = 8;
  const int tiles_m = greatest(ceil_div(m, C::block_m), 1), tiles_n = greatest(ceil_div(n, C::block_n), 1);
  const int tile = index % u32(tiles_m * tiles_n);
  const int first = tile / (height * tiles_n) * height;
  const int rows = least(tiles_m - first, height), rest = tile % (height * tiles_n);
  return {int(index / u32(tiles_m * tiles_n)), (first + rest % rows) * C::block_m, rest / rows * C::block_n};
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

}  // namespace burnish
