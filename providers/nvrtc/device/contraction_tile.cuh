// The part of an operand that a block holds in shared memory: Extent rows or columns (its "mn" axis) by Depth of k.
#pragma once

#include "providers/nvrtc/device/mma.cuh"

namespace burnish {

template <bool First, class A, class B>
struct ChooseType {
  using type = A;
};
template <class A, class B>
struct ChooseType<false, A, B> {
  using type = B;
};
template <bool First, class A, class B>
using Choose = typename ChooseType<First, A, B>::type;

/// The axis along which an operand's elements lie together.
enum class Major { k, mn };

/// What multiplies: tensor cores on 16-bit elements or on floats rounded to TF32, fed by warps from registers; those of
/// sm_90a on 16-bit elements, fed by warpgroups from shared memory; or ordinary fused multiply-adds.
enum class Math { tensor, warpgroup, plain };

/// Layout of a tile: lines of 16-byte chunks, a line being one mn (Major::k) or one k (Major::mn). The chunks of a line
/// are permuted by XOR with some bits of the line's number, so that the eight lines of an ldmatrix, which lie a multiple
/// of the line apart, fall into different banks. Tiles of a warpgroup are panels, one after the other, each with 128 bytes
/// of every line: there the permutation is the hardware's.
/// Spread (Major::k): which line holds which column is permuted so that a thread of a warpgroup gets neighbouring columns.
template <class Element, Major Along, Math By, int Extent_, int Depth_, int Threads_, bool Spread = false>
struct Tile {
  using T = Element;
  static constexpr Major major = Along;
  static constexpr Math math = By;
  static constexpr int extent = Extent_, depth = Depth_, threads = Threads_;  ///< that fill it
  static constexpr bool spread = Spread;
  static constexpr int chunk = 16 / sizeof(T);  ///< elements of a chunk
  static constexpr int lines = Along == Major::k ? extent : depth;
  static constexpr int line_chunks = (Along == Major::k ? depth : extent) / chunk;
  static constexpr int panel_chunks = By == Math::warpgroup && line_chunks > 8 ? 8 : line_chunks;
  static constexpr int line_bytes = panel_chunks * 16;  ///< of a line in one panel
  static constexpr int panel_bytes = lines * line_bytes;
  static constexpr int bytes = line_chunks / panel_chunks * panel_bytes;
  static_assert((extent & (extent - 1)) == 0 || Spread && extent % 32 == 0, "a power of two");
  static_assert((depth & (depth - 1)) == 0, "a power of two");
  static_assert(line_bytes >= 32 && threads % line_chunks == 0);

  /// Without 32-bit transposing loads a warp reads words of four lines: those must differ in the bits above a bank
  /// group of eight words.
  static constexpr bool reads_words = By == Math::tensor && Along == Major::mn && sizeof(T) == 4;
  static_assert(!reads_words || line_bytes >= 128);

  /// The permutation: linear under XOR, and the same for lines that differ by a multiple of 8.
  static constexpr __device__ int flip(int line) {
    if (reads_words) return (line & 3) << 1;
    constexpr int lines_per_bank_row = line_bytes >= 128 ? 1 : 128 / line_bytes;
    constexpr int mask = panel_chunks < 8 ? panel_chunks - 1 : 7;
    return (line / lines_per_bank_row) & mask;
  }
  /// The mn (Major::k) that a line holds. Thread q of four gets columns 8j+2q, +1 of the product for j = 0 … 3, and so the
  /// columns 8q+2j, +1. A permutation of bits: source(x + y) = source(x) + source(y) where x and y have no bit in common.
  static constexpr __device__ int source(int line) {
    return Spread ? (line & ~31) + (line >> 1 & 3) * 8 + (line >> 3 & 3) * 2 + (line & 1) : line;
  }
  /// Bytes from the tile's start.
  static constexpr __device__ u32 offset(int line, int chunk_index) {
    const int panel = chunk_index / panel_chunks, chunk_of_panel = chunk_index % panel_chunks;
    return panel * panel_bytes + line * line_bytes + ((chunk_of_panel ^ flip(line)) << 4);
  }
};

}  // namespace burnish
