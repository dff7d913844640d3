// A warpgroup's share of a block's product (sm_90a): it multiplies tiles where they lie in shared memory.
#pragma once

#include "providers/nvrtc/device/contraction_math.cuh"
#include "providers/nvrtc/device/wgmma.cuh"

namespace burnish {

/// Where the matrix instruction finds 16 k of a tile, 64 rows or N columns from `first` on.
template <class Tile>
struct SharedMatrix {
  static constexpr bool by_rows = Tile::major == Major::mn;
  static_assert(Tile::line_bytes == 128);
  u32 from;  ///< bytes from the tile's start

  BURNISH_DEVICE explicit SharedMatrix(int first)
      : from(by_rows ? first / 64 * Tile::panel_bytes : first * Tile::line_bytes) {}

  BURNISH_DEVICE u64 at(u32 tile, int more, int step) const {
    const u32 rows = by_rows ? more / 64 * Tile::panel_bytes : more * Tile::line_bytes;
    const u32 k = by_rows ? step * 16 * Tile::line_bytes : step / 4 * Tile::panel_bytes + step % 4 * 32;
    return describe_matrix(tile + from + rows + k, by_rows ? Tile::panel_bytes : 16);
  }
};

/// M rows (a multiple of 64) and N columns of the warpgroup, from (m, n) of the block on.
template <class A, class B, int M, int N>
struct WarpgroupMath {
  static constexpr int rows = M, columns = N;
  static constexpr int slab = 16;  ///< rows of a warp that `put` writes at a time; slabs lie 64 rows apart
  static_assert(M % 64 == 0 && A::depth % 16 == 0 && sizeof(typename A::T) == 2);

  SharedMatrix<A> a;
  SharedMatrix<B> b;
  float sum[M / 64][N / 8][4];

  BURNISH_DEVICE WarpgroupMath(int m, int n) : a(m), b(n) {}

  /// Starts adding the product of two tiles; the first product overwrites what the sums were.
  BURNISH_DEVICE void start(u32 a_tile, u32 b_tile, bool first) {
    begin_products();
#pragma unroll
    for (int step = 0; step < A::depth / 16; ++step)
#pragma unroll
      for (int i = 0; i < M / 64; ++i)
        start_product<N, typename A::T, SharedMatrix<A>::by_rows, SharedMatrix<B>::by_rows>(
            sum[i], a.at(a_tile, i * 64, step), b.at(b_tile, 0, step), step > 0 || !first);
    commit_products();
  }
  /// Waits for all products.
  BURNISH_DEVICE void finish() {
    wait_for_products();
#pragma unroll
    for (int i = 0; i < M / 64; ++i)
#pragma unroll
      for (int j = 0; j < N / 8; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e)
          asm volatile("" : "+f"(sum[i][j][e])::"memory");  // not read before the wait
  }

  /// For the same thread of another warpgroup to add; `held` lies 128 threads' apart.
  BURNISH_DEVICE void leave(float4* held) const {
#pragma unroll
    for (int i = 0; i < M / 64; ++i)
#pragma unroll
      for (int j = 0; j < N / 8; ++j) {
        const float (&s)[4] = sum[i][j];
        held[(i * (N / 8) + j) * 128] = float4{s[0], s[1], s[2], s[3]};
      }
  }
  BURNISH_DEVICE void add(const float4* held) {
#pragma unroll
    for (int i = 0; i < M / 64; ++i)
#pragma unroll
      for (int j = 0; j < N / 8; ++j) {
        const float4 more = held[(i * (N / 8) + j) * 128];
        sum[i][j][0] += more.x, sum[i][j][1] += more.y, sum[i][j][2] += more.z, sum[i][j][3] += more.w;
      }
  }

  BURNISH_DEVICE void put(float* rows, int pitch, int index) const {
    put_sums<B::spread>(rows, pitch, sum[index]);
  }
};

}  // namespace burnish
