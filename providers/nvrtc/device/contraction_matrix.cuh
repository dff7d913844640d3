// Operands of a contraction that are matrices in memory.
#pragma once

#include "providers/nvrtc/device/contraction_tile.cuh"

namespace burnish {

/// element(mn, k) = at[mn * stride_mn + k * stride_k].
///
/// Bytes > 0: copied asynchronously, that many bytes at a time (16, 8 or 4). The stride along Along must be 1 and the
/// other one, and `at`, a multiple of Bytes.
/// Bytes = 0: gathered element by element, any strides; Along says which stride is the smaller one.
template <class Element, Major Along, int Bytes>
struct MatrixOperand {
  using T = Element;
  static_assert(Bytes == 0 || Bytes >= 4 && Bytes <= 16 && Bytes % sizeof(T) == 0);
  static constexpr Major major = Bytes ? Along : Major::k;  ///< of its tile

  const T* at;
  i64 stride_mn, stride_k;

  template <class Tile>
  struct Copier;
  template <class Tile>
  struct Gatherer;
  template <class Tile>
  using Fetch = Choose<Bytes != 0, Copier<Tile>, Gatherer<Tile>>;
};

/// Copies tiles of a matrix. A thread has one chunk of every `step`-th line.
template <class Element, Major Along, int Bytes>
template <class Tile>
struct MatrixOperand<Element, Along, Bytes>::Copier {
  static constexpr int step = Tile::threads / Tile::line_chunks;
  static constexpr int count = (Tile::lines + step - 1) / step;
  static constexpr int piece = Bytes / sizeof(T);
  static_assert((step & (step - 1)) == 0);

  const MatrixOperand& from;
  int line, chunk, mn0, extent, depth;
  const T* start;

  BURNISH_DEVICE Copier(const MatrixOperand& from, int mn0, int extent, int depth)
      : from(from),
        line(threadIdx.x / Tile::line_chunks),
        chunk(threadIdx.x % Tile::line_chunks),
        mn0(mn0),
        extent(extent),
        depth(depth) {
    if constexpr (Along == Major::k)
      start = from.at + i64(mn0 + Tile::source(line)) * from.stride_mn + chunk * Tile::chunk;
    else start = from.at + i64(line) * from.stride_k + mn0 + chunk * Tile::chunk;
  }

  BURNISH_DEVICE void issue(u32 tile, int k0) const {
    const int first = Along == Major::k ? mn0 : k0;  // of the lines
    const int line_end = Along == Major::k ? extent : depth;
    const int along = (Along == Major::k ? k0 : mn0) + chunk * Tile::chunk;
    const int along_end = Along == Major::k ? depth : extent;
    const i64 line_stride = Along == Major::k ? from.stride_mn : from.stride_k;
    const T* p = start + (Along == Major::k ? i64(k0) : i64(k0) * from.stride_k);
#pragma unroll
    for (int i = 0; i < count; ++i) {
      if (Tile::lines % step && line + i * step >= Tile::lines) break;
      const int more =
          Along == Major::k ? Tile::source(i * step) : i * step;  // than this thread's first line
      const bool inside = first + (Along == Major::k ? Tile::source(line) : line) + more < line_end;
      const u32 to = tile + Tile::offset(line + i * step, chunk);
#pragma unroll
      for (int e = 0; e < Tile::chunk; e += piece) {
        const int left = along_end - along - e;
        const T* start_of_piece = p + more * line_stride + e;
        if (along_end % piece == 0) {  // decided when it is compiled where the extent is a literal
          copy_async_if<Bytes>(to + e * sizeof(T), start_of_piece, inside && left > 0);
        } else {
          const int valid = inside ? least(greatest(left, 0), piece) : 0;
          copy_async<Bytes>(to + e * sizeof(T), start_of_piece, valid * sizeof(T));
        }
      }
    }
  }
  BURNISH_DEVICE void land(u32) const {}
};

/// Gathers tiles of a matrix through registers: `issue` starts the loads, `land` stores what they brought.
template <class Element, Major Along, int Bytes>
template <class Tile>
struct MatrixOperand<Element, Along, Bytes>::Gatherer {
  static constexpr int total = Tile::lines * Tile::line_chunks;
  static constexpr int count = (total + Tile::threads - 1) / Tile::threads;

  const MatrixOperand& from;
  int mn0, extent, depth;
  Vec<T, Tile::chunk> held[count];

  BURNISH_DEVICE Gatherer(const MatrixOperand& from, int mn0, int extent, int depth)
      : from(from), mn0(mn0), extent(extent), depth(depth) {}

  /// Neighbouring lanes take neighbouring elements of the smaller stride.
  static BURNISH_DEVICE int line_of(int item) {
    return Along == Major::mn ? item % Tile::lines : item / Tile::line_chunks;
  }
  static BURNISH_DEVICE int chunk_of(int item) {
    return Along == Major::mn ? item / Tile::lines : item % Tile::line_chunks;
  }

  BURNISH_DEVICE void issue(u32, int k0) {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      const int item = threadIdx.x + i * Tile::threads;
      const int mn = mn0 + Tile::source(line_of(item)), k = k0 + chunk_of(item) * Tile::chunk;
      const bool inside = mn < extent && item < total;
      const T* p = from.at + mn * from.stride_mn + k * from.stride_k;
#pragma unroll
      for (int e = 0; e < Tile::chunk; ++e)
        held[i].at[e] = inside && k + e < depth ? p[e * from.stride_k] : T{};
    }
  }
  BURNISH_DEVICE void land(u32 tile) const {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      const int item = threadIdx.x + i * Tile::threads;
      if (total % Tile::threads && item >= total) break;
      uint4 v;
      copy_vector<T, Tile::chunk>(&v, &held[i]);
      store_shared(tile + Tile::offset(line_of(item), chunk_of(item)), v);
    }
  }
};

}  // namespace burnish
