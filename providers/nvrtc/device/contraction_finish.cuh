// The end of a contraction: sums become results.
#pragma once

#include "providers/nvrtc/device/cluster.cuh"
#include "providers/nvrtc/device/contraction_config.cuh"
#include "providers/nvrtc/device/epilogue.cuh"

namespace burnish {

/// What an epilogue reads for 8 columns of a row.
template <class Epilogue>
using OperandsOf = decltype(static_cast<const Epilogue*>(nullptr)->template fetch<8>(0, 0, 8));

/// What it makes of their sums.
template <class Epilogue>
using ResultsOf = decltype(static_cast<const Epilogue*>(nullptr)->results(
    *static_cast<float (*)[8]>(nullptr), *static_cast<const OperandsOf<Epilogue>*>(nullptr)));

/// How many of a row's 8 columns from n on exist: a literal where `extent` is one.
BURNISH_DEVICE int columns_from(int n, int extent) { return extent % 8 == 0 ? 8 : least(extent - n, 8); }

/// Gives the functor the sums, 8 columns of a row at a time, through shared memory that the pipeline no longer needs. What it
/// reads for some rows is under way together.
template <class C, class WarpMath, class Epilogue>
BURNISH_DEVICE void finish(const WarpMath& math, void* shared, int m0, int n0, int m, int n,
                           const Epilogue& epilogue) {
  using Sum = typename C::Sum;
  constexpr int width = 8, row_parts = C::warp_n / width, items = C::slab * row_parts / 32,
                together = items % 4 == 0   ? 4
                           : items % 2 == 0 ? 2
                                            : 1;
  static_assert(WarpMath::slab == C::slab);
  const int lane = threadIdx.x % 32;
  Sum* rows = static_cast<Sum*>(shared) + threadIdx.x / 32 * (C::slab * C::pitch);
#pragma unroll
  for (int s = 0; s < C::warp_m / C::slab; ++s) {
    __syncwarp();
    math.put(rows, C::pitch, s);
    __syncwarp();
#pragma unroll
    for (int first = 0; first < items; first += together) {
      OperandsOf<Epilogue> read[together];
      const auto each = [&](const auto& work) {
#pragma unroll
        for (int i = 0; i < together; ++i) {
          const int part = lane + (first + i) * 32, row = part / row_parts, column = part % row_parts * width;
          const int to_m = m0 + s * C::slab_step + row, to_n = n0 + column;
          if (to_m < m && to_n < n) work(i, to_m, to_n, rows + row * C::pitch + column);
        }
      };
      each([&](int i, int to_m, int to_n, const Sum*) {
        read[i] = epilogue.template fetch<width>(to_m, to_n, columns_from(to_n, n));
      });
      each([&](int i, int to_m, int to_n, const Sum* from) {
        Sum v[width];
        load_vector<Sum, width>(from, v);
        epilogue.put(to_m, to_n, epilogue.results(v, read[i]), columns_from(to_n, n));
      });
    }
  }
}

/// The same from where the sums are, for warpgroups whose B tiles are spread: a thread has 8 columns of its rows.
/// m0: the warp's first row. Results of rows that do not exist are computed beside the others and not put.
template <class WarpgroupMath, class Epilogue>
BURNISH_DEVICE void finish_in_place(const WarpgroupMath& math, int m0, int n0, int m, int n,
                                    const Epilogue& epilogue) {
  constexpr int rows = WarpgroupMath::rows / 32;  // of a thread, alternately 8 and 56 apart
  constexpr int blocks = WarpgroupMath::columns / 32;
  constexpr int most = (rows * blocks > 8 ? 4 : 8) / rows;  // the more sums, the fewer registers are left
  constexpr int together = blocks % most == 0 ? most : 1;
  const int lane = threadIdx.x % 32;
  m0 += lane / 4, n0 += lane % 4 * 8;
#pragma unroll
  for (int first = 0; first < blocks; first += together) {
    const auto each = [&](const auto& work) {
#pragma unroll
      for (int j = 0; j < together; ++j)
#pragma unroll
        for (int row = 0; row < rows; ++row)
          work(j * rows + row, m0 + row / 2 * 64 + row % 2 * 8, n0 + (first + j) * 32, first + j, row);
    };
    OperandsOf<Epilogue> read[together * rows];
    each([&](int i, int to_m, int to_n, int, int) {
      if (to_m < m && to_n < n) read[i] = epilogue.template fetch<8>(to_m, to_n, columns_from(to_n, n));
    });
    ResultsOf<Epilogue> results[together * rows];
    each([&](int i, int, int, int block, int row) {
      float v[8];
#pragma unroll
      for (int e = 0; e < 8; ++e) v[e] = math.sum[row / 2][block * 4 + e / 2][row % 2 * 2 + e % 2];
      results[i] = epilogue.results(v, read[i]);
    });
    each([&](int i, int to_m, int to_n, int, int) {
      if (to_m < m && to_n < n) epilogue.put(to_m, to_n, results[i], columns_from(to_n, n));
    });
  }
}

/// The same for blocks that share a tile: each sums up its part of the tile out of their memory, beginning with its own so that
/// they do not all read the same block's. `thread`: of Threads that end the tile; those that hold no sums give none.
template <class C, int Threads, class WarpMath, class Epilogue>
BURNISH_DEVICE void finish_together(const WarpMath& math, bool holds, float* shared, int thread, int row0,
                                    int column0, Place place, int m, int n, const Epilogue& epilogue) {
  constexpr int width = 8, row_parts = C::block_n / width, share = C::block_m * row_parts / C::slices;
  if (holds)
#pragma unroll
    for (int s = 0; s < C::warp_m / C::slab; ++s)
      math.put(shared + (row0 + s * C::slab_step) * C::tile_pitch + column0, C::tile_pitch, s);
  synchronize_cluster();
  const u32 own = blockIdx.x % C::slices;
  for (int i = thread; i < share; i += Threads) {
    const int part = own * share + i, row = part / row_parts, column = part % row_parts * width;
    const u32 here = shared_address(shared + row * C::tile_pitch + column);
    float v[width] = {};
#pragma unroll
    for (int k = 0; k < C::slices; ++k) {
      const u32 there = address_in_block(here, (own + k) % C::slices);
      const float4 low = load_cluster(there), high = load_cluster(there + 16);
      v[0] += low.x, v[1] += low.y, v[2] += low.z, v[3] += low.w;
      v[4] += high.x, v[5] += high.y, v[6] += high.z, v[7] += high.w;
    }
    const int count = columns_from(place.n0 + column, n);
    if (place.m0 + row < m && place.n0 + column < n)
      finish_row(epilogue, place.m0 + row, place.n0 + column, v, count);
  }
  synchronize_cluster();  // nobody leaves while its memory is read
}

}  // namespace burnish
