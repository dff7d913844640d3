// Contractions whose B is small: it stays in shared memory, and rows of A stream past it, from memory to registers to products.
// Nothing is waited for together but B, once, so that reads, products and writes of different warps overlap. What such a
// contraction takes is its reading and writing.
//
// The order in which k is added is free, and so is the order of B's columns: lanes take 8 neighbouring k of A for two
// instructions, 16 bytes, and get sums of 8 neighbouring columns. B lies as lanes want it.
#pragma once

#include "providers/nvrtc/device/contraction_finish.cuh"
#include "providers/nvrtc/device/contraction_matrix.cuh"

namespace burnish {

/// K by N: all of B. Rows: of a warp, 16 or 32. Columns: whose sums it has at a time, a multiple of 32.
/// Launch: block = threads, dynamic shared memory = shared_bytes; any grid.x, for warps share the rows out (at best one
/// block a multiprocessor). 16-bit types; A and B are MatrixOperands of Major::k, copied 16 bytes at a time; K is a multiple of 8.
template <class Element, int K, int N, int Rows, int Columns, int Warps>
struct Stationary {
  using T = Element;
  using Sum = float;
  static constexpr int k = K, n = N, rows = Rows, columns = Columns, warps = Warps, threads = 32 * Warps;
  static constexpr int chunks = (K + 31) / 32;  ///< of k: what two instructions multiply
  static constexpr int passes = (N + Columns - 1) / Columns;
  /// Chunks of A's rows that a warp holds. All, if they are multiplied more than once; else the first ones of the next rows
  /// follow the last ones of these.
  static constexpr int ahead = Rows == 16 ? 4 : 3;
  static constexpr int held = passes > 1 || chunks < ahead ? chunks : ahead;
  static constexpr int part_bytes = 2048;  ///< of 32 k by 32 columns of B
  static constexpr int shared_bytes = passes * (Columns / 32) * chunks * part_bytes;
  static_assert(sizeof(T) == 2 && K % 8 == 0 && Rows % 16 == 0 && Columns % 32 == 0);
};

/// B in parts of 32 k by 32 columns, k fastest. Lane 4g+q has its 16 bytes in each quarter j of a part: 8 k from 8q on, of the
/// column that is number g for the instruction, so that lane q gets sums of columns 8q+2j, +1.
template <class C, class B>
BURNISH_DEVICE void copy_stationary(const B& b, u32 shared) {
  for (int i = threadIdx.x; i < C::shared_bytes / 16; i += C::threads) {
    const int q = i % 4, g = i / 4 % 8, j = i / 32 % 4, part = i / 128;
    const int k = part % C::chunks * 32 + q * 8, column = part / C::chunks * 32 + g / 2 * 8 + j * 2 + g % 2;
    copy_async_if<16>(shared + i * 16, b.at + i64(column) * b.stride_mn + k, k < C::k && column < C::n);
  }
  commit_copies();
}

/// 16 bytes that are read once, or zeros.
BURNISH_DEVICE uint4 stream_if(const void* from, bool inside) {
  uint4 v;
  asm volatile(
      "{\n.reg .pred inside;\nsetp.ne.b32 inside, %5, 0;\n"
      "mov.b32 %0, 0;\nmov.b32 %1, 0;\nmov.b32 %2, 0;\nmov.b32 %3, 0;\n"
      "@inside ld.global.nc.L1::no_allocate.L2::128B.v4.b32 {%0, %1, %2, %3}, [%4];\n}"
      : "=&r"(v.x), "=&r"(v.y), "=&r"(v.z), "=&r"(v.w)
      : "l"(from), "r"(int(inside)));
  return v;
}

/// A warp's rows of A: lane 4g+q has 8 k from 8q on, of rows g, g + 8, … of each chunk.
template <class C, class A>
struct StreamedRows {
  const A& from;
  int m;
  uint4 chunk[C::held][C::rows / 8];

  BURNISH_DEVICE void load(int slot, int m0, int index) {
    const int row = m0 + threadIdx.x % 32 / 4, k = index * 32 + threadIdx.x % 4 * 8;
    const typename C::T* p = from.at + i64(row) * from.stride_mn + k;
#pragma unroll
    for (int i = 0; i < C::rows / 8; ++i)
      chunk[slot][i] = stream_if(p + i * 8 * from.stride_mn, row + i * 8 < m && (C::k % 32 == 0 || k < C::k));
  }
};

/// A warp's sums of some columns.
template <class C>
struct StationarySums {
  float sum[C::rows / 16][C::columns / 8][4] = {};

  /// Adds the product of a chunk. `part`: the lane's bytes in the first of its parts of B.
  BURNISH_DEVICE void add(const uint4 (&a)[C::rows / 8], u32 part) {
#pragma unroll
    for (int block = 0; block < C::columns / 32; ++block) {
      uint4 b[4];
#pragma unroll
      for (int j = 0; j < 4; ++j) b[j] = load_shared(part + block * C::chunks * C::part_bytes + j * 512);
#pragma unroll
      for (int j = 0; j < 4; ++j)
#pragma unroll
        for (int i = 0; i < C::rows / 16; ++i) {
          const uint4 &low = a[2 * i], &high = a[2 * i + 1];
          multiply_matrices<typename C::T>(sum[i][block * 4 + j], {low.x, high.x, low.y, high.y}, b[j].x,
                                           b[j].y);
        }
#pragma unroll
      for (int j = 0; j < 4; ++j)
#pragma unroll
        for (int i = 0; i < C::rows / 16; ++i) {
          const uint4 &low = a[2 * i], &high = a[2 * i + 1];
          multiply_matrices<typename C::T>(sum[i][block * 4 + j], {low.z, high.z, low.w, high.w}, b[j].z,
                                           b[j].w);
        }
    }
  }
};

/// What the results of a warp's rows and some columns need beside the sums; it is read before they are there.
template <class C, class Epilogue>
struct StationaryEnd {
  static constexpr int blocks = C::columns / 32, rows = C::rows / 8;
  const Epilogue& epilogue;
  int m0, n0, m;  ///< of the lane's first row and column
  OperandsOf<Epilogue> read[blocks][rows];

  /// Where there is no row or column, another one is read.
  BURNISH_DEVICE StationaryEnd(const Epilogue& epilogue, int row, int column, int m)
      : epilogue(epilogue), m0(row + threadIdx.x % 32 / 4), n0(column + threadIdx.x % 4 * 8), m(m) {
#pragma unroll
    for (int block = 0; block < blocks; ++block)
#pragma unroll
      for (int i = 0; i < rows; ++i) {
        const int to_m = least(m0 + i * 8, m - 1), to_n = least(n0 + block * 32, (C::n - 1) / 8 * 8);
        read[block][i] = epilogue.template fetch<8>(to_m, to_n, columns_from(to_n, C::n));
      }
  }
  BURNISH_DEVICE void put(StationarySums<C>& sums) const {
#pragma unroll
    for (int block = 0; block < blocks; ++block)
#pragma unroll
      for (int i = 0; i < rows; ++i) {
        float v[8];
#pragma unroll
        for (int e = 0; e < 8; ++e) v[e] = sums.sum[i / 2][block * 4 + e / 2][i % 2 * 2 + e % 2];
        const auto results = epilogue.results(v, read[block][i]);
        const int to_m = m0 + i * 8, to_n = n0 + block * 32;
        if (to_m < m && to_n < C::n) epilogue.put(to_m, to_n, results, columns_from(to_n, C::n));
      }
  }
};

/// As `contract`, of one batch.
template <class C, class Operands>
BURNISH_DEVICE void contract_stationary(int m, const Operands& operands) {
  extern __shared__ __align__(128) u8 burnish_shared[];
  const u32 shared = shared_address(burnish_shared);
  operands(Place{0, 0, 0},
           [&]<class A, class B, class Epilogue>(const A& a, const B& b, const Epilogue& epilogue) {
             copy_stationary<C>(b, shared);
             const int warp = __shfl_sync(~0u, threadIdx.x / 32, 0), step = gridDim.x * C::warps * C::rows;
             int m0 = (warp * gridDim.x + blockIdx.x) * C::rows;
             StreamedRows<C, A> rows{a, m};
#pragma unroll
             for (int slot = 0; slot < C::held; ++slot) rows.load(slot, m0, slot);
             wait_copies<0>();
             __syncthreads();
             for (; m0 < m; m0 += step)
#pragma unroll 1
               for (int pass = 0; pass < C::passes; ++pass) {
                 const StationaryEnd<C, Epilogue> end(epilogue, m0, pass * C::columns, m);
                 StationarySums<C> sums;
                 const u32 parts =
                     shared + pass * (C::columns / 32 * C::chunks * C::part_bytes) + threadIdx.x % 32 * 16;
#pragma unroll 1
                 for (int first = 0; first < C::chunks; first += C::held)
#pragma unroll
                   for (int slot = 0; slot < C::held; ++slot) {
                     const int chunk = first + slot;
                     if (C::chunks % C::held && chunk >= C::chunks) break;
                     sums.add(rows.chunk[slot], parts + chunk * C::part_bytes);
                     const bool more = chunk + C::held < C::chunks;
                     if (pass + 1 == C::passes)
                       rows.load(slot, more ? m0 : m0 + step, more ? chunk + C::held : slot);
                   }
                 end.put(sums);
               }
           });
}

}  // namespace burnish
