// Contractions whose B is small: it stays in shared memory, and rows of A stream past it, from memory to registers to products.
// Nothing is waited for together but B, once, so that reads, products and writes of different warps overlap. What such a
// contraction takes is its reading and writing.
//
// Columns of B are the rows of the instruction, rows of A its columns. The order in which k is added is free, and so are those
// of rows and columns: lanes read 16 bytes of A, two instructions' worth as they lie, and get sums of neighbouring columns, such
// that eight of them write a line of 128 bytes. B lies as lanes want it.
#pragma once

#include "providers/nvrtc/device/contraction_finish.cuh"
#include "providers/nvrtc/device/contraction_matrix.cuh"
#include "providers/nvrtc/device/dependent_launch.cuh"

namespace burnish {

/// K by N: all of B. Rows: of a warp, a multiple of 8. Columns: whose sums it has at a time, 64, or at least N for all.
/// Launch: block = threads, dynamic shared memory = shared_bytes; any grid.x, for warps share the rows out (at best one
/// block a multiprocessor). 16-bit types; A and B are MatrixOperands of Major::k, copied 16 bytes at a time; K is a multiple of 8.
/// ConstantB: as of a Contraction; all of B is fetched before the wait. Norm: as of a Contraction.
template <class Element, int K, int N, int Rows, int Columns, int Warps, bool ConstantB = false,
          RowNorm Norm = RowNorm::none>
struct Stationary {
  using T = Element;
  using Sum = float;
  static constexpr bool constant_b = ConstantB;
  static constexpr RowNorm norm = Norm;
  static constexpr int k = K, n = N, rows = Rows, warps = Warps, threads = 32 * Warps;
  static constexpr int chunks = (K + 31) / 32;  ///< of k: what two instructions multiply
  /// Columns are taken 64 together, 8 of a lane, and what is left 32 together, 4 of a lane.
  static constexpr int wide = N / 64 + (N % 64 > 32), narrow = N % 64 > 0 && N % 64 <= 32;
  static constexpr bool at_once = Columns >= N;
  /// Chunks of A's rows that a warp holds. All, if they are multiplied more than once; else as many as come in few equal turns,
  /// and the first ones of the next rows follow the last ones of these.
  static constexpr int most = Rows <= 16 ? 6 : 3;
  static constexpr int turns = at_once ? ceil_div(chunks, most) : 1;
  static constexpr int held = ceil_div(chunks, turns);
  static constexpr int step_bytes = 512, chunk_bytes = 2 * step_bytes;  ///< of 16 columns
  static constexpr int column_bytes = chunks * chunk_bytes / 16;
  static constexpr int b_bytes = (64 * wide + 32 * narrow) * column_bytes;
  static constexpr int shared_bytes =
      b_bytes + (Norm == RowNorm::none ? 0 : Warps * Rows * 4);  ///< scales of rows after B
  static_assert(sizeof(T) == 2 && K % 8 == 0 && Rows % 8 == 0);
};

/// 16 bytes that are read once, or zeros.
BURNISH_DEVICE uint4 stream_if(const void* from, bool inside) {
  uint4 v;
  asm volatile(
      "{\n.reg .pred inside;\nsetp.ne.b32 inside, %5, 0;\n"
      "mov.b32 %0, 0;\nmov.b32 %1, 0;\nmov.b32 %2, 0;\nmov.b32 %3, 0;\n"
      "@inside ld.global.L1::no_allocate.L2::128B.v4.b32 {%0, %1, %2, %3}, [%4];\n}"
      : "=&r"(v.x), "=&r"(v.y), "=&r"(v.z), "=&r"(v.w)
      : "l"(from), "r"(int(inside)));
  return v;
}

/// Copies columns first … first + 8 * Width * Parts - 1 of B. Lane 4g+q of an instruction has rows g and g+8 of 16, 2 k from 2q
/// on and 2 from 2q+8 on; of a part's pair of instructions, number i of Width / 2, those are columns Width * g + 2i and + 1, and
/// 8 neighbouring k.
template <class C, int Width, int Parts, class B>
BURNISH_DEVICE void copy_columns(const B& b, u32 to, int first) {
  constexpr int together = 4, count = Parts * Width * C::chunks;
  const int lane = threadIdx.x % 32;
  for (int begin = threadIdx.x / 32; begin < count; begin += together * C::warps) {
    uint4 v[together];
    const auto each = [&](const auto& work) {
#pragma unroll
      for (int i = 0; i < together; ++i) {
        const int item = begin + i * C::warps;
        if (item < count) work(v[i], item % Width, item / Width % C::chunks, item / Width / C::chunks);
      }
    };
    each([&](uint4& v, int of_lane, int chunk, int part) {
      const int column = first + (part * 8 + lane / 4) * Width + of_lane, k = chunk * 32 + lane % 4 * 8;
      v = stream_if(b.at + i64(column) * b.stride_mn + k, k < C::k && column < C::n);
    });
    each([&](const uint4& v, int of_lane, int chunk, int part) {
      const u32 at = to + ((part * (Width / 2) + of_lane / 2) * C::chunks + chunk) * C::chunk_bytes +
                     lane * 16 + of_lane % 2 * 4;
      store_shared_word(at, v.x), store_shared_word(at + 8, v.y);
      store_shared_word(at + C::step_bytes, v.z), store_shared_word(at + C::step_bytes + 8, v.w);
    });
  }
}

/// A warp's rows of A: lane 4g+q has 8 k from 8q on of each chunk, of one row of 8, such that lane q gets sums of rows q and q+4.
template <class C, class A>
struct StreamedRows {
  const A& from;
  int m;
  uint4 chunk[C::held][C::rows / 8];

  BURNISH_DEVICE void load(int slot, int m0, int index) {
    const int g = threadIdx.x % 32 / 4, row = m0 + g / 2 + g % 2 * 4, k = index * 32 + threadIdx.x % 4 * 8;
    const typename C::T* p = from.at + i64(row) * from.stride_mn + k;
#pragma unroll
    for (int i = 0; i < C::rows / 8; ++i)
      chunk[slot][i] = stream_if(p + i * 8 * from.stride_mn, row + i * 8 < m && (C::k % 32 == 0 || k < C::k));
  }
};

/// What is added up of a warp's rows of A, of each where `StreamedRows` has them.
template <class C>
struct StreamedMoments {
  RunningMoments row[C::rows / 8];

  BURNISH_DEVICE void add(const uint4 (&a)[C::rows / 8], int chunk) {
#pragma unroll
    for (int i = 0; i < C::rows / 8; ++i)
      if (C::k % 32 == 0 || chunk * 32 + int(threadIdx.x) % 4 * 8 < C::k)
        row[i].template add<typename C::T>(a[i], chunk == 0);
  }
  /// Stores what the epilogue needs of the rows.
  BURNISH_DEVICE void end(const RowScales& to, RowScale by) {
    const int g = threadIdx.x % 32 / 4;
    __syncwarp();  // nobody reads those of the rows before
#pragma unroll
    for (int i = 0; i < C::rows / 8; ++i) {
      Moments m = row[i].moments();
      m.add_from_lane(1), m.add_from_lane(2);
      to.set(i * 8 + g / 2 + g % 2 * 4, m.template scale<C::norm>(by));
    }
    __syncwarp();
  }
};

/// A warp's sums of 8 * Width columns, and what their results need beside them, which is read before they are there.
template <class C, int Width, class Epilogue>
struct StationaryPart {
  using Operands = decltype(static_cast<const Epilogue*>(nullptr)->template fetch<Width>(0, 0, Width));
  static constexpr int groups = C::rows / 8;
  float sum[groups][Width / 2][4];
  Operands read[groups][2];
  int m0, n0;  ///< of the lane

  /// Where there is no row or column, another one is read.
  BURNISH_DEVICE void begin(const Epilogue& epilogue, int row, int column, int m) {
    m0 = row + threadIdx.x % 4, n0 = column + threadIdx.x % 32 / 4 * Width;
    const int to_n = least(n0, (C::n - 1) / Width * Width);
#pragma unroll
    for (int i = 0; i < groups; ++i)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        read[i][half] =
            epilogue.template fetch<Width>(least(m0 + i * 8 + half * 4, m - 1), to_n, count(to_n));
#pragma unroll
        for (int j = 0; j < Width / 2; ++j) sum[i][j][2 * half] = sum[i][j][2 * half + 1] = 0;
      }
  }
  /// Adds the product of a chunk. `b`: the lane's bytes of it in the first 16 columns.
  BURNISH_DEVICE void add(const uint4 (&a)[groups], u32 b) {
#pragma unroll
    for (int step = 0; step < 2; ++step)
#pragma unroll
      for (int j = 0; j < Width / 2; ++j) {
        const uint4 w = load_shared(b + j * (C::chunks * C::chunk_bytes) + step * C::step_bytes);
#pragma unroll
        for (int i = 0; i < groups; ++i)
          multiply_matrices<typename C::T>(sum[i][j], {w.x, w.y, w.z, w.w}, step ? a[i].z : a[i].x,
                                           step ? a[i].w : a[i].y);
      }
  }
  BURNISH_DEVICE void put(const Epilogue& epilogue, int m) {
#pragma unroll
    for (int i = 0; i < groups; ++i)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float v[Width];
#pragma unroll
        for (int e = 0; e < Width; ++e) v[e] = sum[i][e / 2][e % 2 * 2 + half];
        const auto results = epilogue.results(v, read[i][half]);
        const int to_m = m0 + i * 8 + half * 4;
        if (to_m < m && n0 < C::n) epilogue.put(to_m, n0, results, count(n0));
      }
  }
  static BURNISH_DEVICE int count(int n) { return C::n % Width == 0 ? Width : least(C::n - n, Width); }
};

/// Sums and results of Wide times 64 columns from n0 on, and of 32 if Narrow. First, Last: of the columns; with the first ones rows of A
/// are added up, with the last ones they give way to the next.
template <class C, int Wide, int Narrow, bool First, bool Last, class Rows, class Epilogue>
BURNISH_DEVICE void multiply_stationary(Rows& rows, u32 shared, int m0, int next, int n0, int m,
                                        const RowScales& moments, RowScale scale, const Epilogue& epilogue) {
  StationaryPart<C, 8, Epilogue> wide[Wide ? Wide : 1];
  StationaryPart<C, 4, Epilogue> narrow;
  // m0 >> 31 is 0, which compilers do not know: else they keep B in registers from rows to rows, where there are too few.
  const u32 b = shared + (m0 >> 31) + n0 * C::column_bytes + threadIdx.x % 32 * 16;
#pragma unroll
  for (int i = 0; i < Wide; ++i) wide[i].begin(epilogue, m0, n0 + i * 64, m);
  if constexpr (Narrow) narrow.begin(epilogue, m0, n0 + Wide * 64, m);
  [[maybe_unused]] StreamedMoments<C> sums_of_rows;
#pragma unroll 1
  for (int first = 0; first < C::chunks; first += C::held)
#pragma unroll
    for (int slot = 0; slot < C::held; ++slot) {
      const int chunk = first + slot;
      if (C::chunks % C::held && chunk >= C::chunks) break;
#pragma unroll
      for (int i = 0; i < Wide; ++i)
        wide[i].add(rows.chunk[slot], b + i * 64 * C::column_bytes + chunk * C::chunk_bytes);
      if constexpr (Narrow)
        narrow.add(rows.chunk[slot], b + Wide * 64 * C::column_bytes + chunk * C::chunk_bytes);
      if constexpr (First) sums_of_rows.add(rows.chunk[slot], chunk);
      const bool more = chunk + C::held < C::chunks;
      if constexpr (Last) rows.load(slot, more ? m0 : next, more ? chunk + C::held : slot);
    }
  if constexpr (First) sums_of_rows.end(moments, scale);
#pragma unroll
  for (int i = 0; i < Wide; ++i) wide[i].put(epilogue, m);
  if constexpr (Narrow) narrow.put(epilogue, m);
}

/// All columns of a warp's rows.
template <class C, class Rows, class Epilogue>
BURNISH_DEVICE void multiply_columns(Rows& rows, u32 shared, int m0, int next, int m,
                                     const RowScales& moments, RowScale scale, const Epilogue& epilogue) {
  if constexpr (C::at_once) {
    multiply_stationary<C, C::wide, C::narrow, C::norm != RowNorm::none, true>(rows, shared, m0, next, 0, m,
                                                                               moments, scale, epilogue);
  } else {
    constexpr int before = C::wide - !C::narrow;  // passes that are not the last one
    constexpr bool adds_up = C::norm != RowNorm::none;
    if constexpr (adds_up && before > 0)
      multiply_stationary<C, 1, 0, true, false>(rows, shared, m0, next, 0, m, moments, scale, epilogue);
#pragma unroll 1
    for (int pass = adds_up; pass < before; ++pass)
      multiply_stationary<C, 1, 0, false, false>(rows, shared, m0, next, pass * 64, m, moments, scale,
                                                 epilogue);
    multiply_stationary<C, 1 - C::narrow, C::narrow, adds_up && before == 0, true>(
        rows, shared, m0, next, before * 64, m, moments, scale, epilogue);
  }
}

/// As `contract`, of one batch.
template <class C, class Operands>
BURNISH_DEVICE void contract_stationary(int m, const Operands& operands, RowScale scale = {}) {
  extern __shared__ __align__(128) u8 burnish_shared[];
  const u32 shared = shared_address(burnish_shared);
  const int warp = __shfl_sync(~0u, threadIdx.x / 32, 0), step = gridDim.x * C::warps * C::rows;
  const RowScales moments{shared + C::b_bytes + warp * C::rows * 4, C::rows - 1};
  operands(Place{0, 0, 0, moments},
           [&]<class A, class B, class Epilogue>(const A& a, const B& b, const Epilogue& epilogue) {
             int m0 = (warp * gridDim.x + blockIdx.x) * C::rows;
             if (C::wide) copy_columns<C, 8, C::wide>(b, shared, 0);
             if (C::narrow) copy_columns<C, 4, 1>(b, shared + C::wide * 64 * C::column_bytes, C::wide * 64);
             if (C::constant_b) wait_for_prerequisites();
             StreamedRows<C, A> rows{a, m};
#pragma unroll
             for (int slot = 0; slot < C::held; ++slot) rows.load(slot, m0, slot);
             __syncthreads();
             for (; m0 < m; m0 += step)
               multiply_columns<C>(rows, shared, m0, m0 + step, m, moments, scale, epilogue);
           });
}

}  // namespace burnish
