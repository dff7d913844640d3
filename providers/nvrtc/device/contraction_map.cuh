// Operands of a contraction that the copy engine of sm_90 brings, tile by tile.
#pragma once

#include "providers/nvrtc/device/contraction_tile.cuh"
#include "providers/nvrtc/device/tensor_map.cuh"

namespace burnish {

/// A matrix whose k lie together. Its map is {k, mn}; that of one whose tiles are spread has mn taken apart, {k, 2, 4, 4, mn /
/// 32} with strides of 1, 8, 2 and 32 columns, so that lines come in the order of `Tile::source`.
template <class Element>
struct MappedOperand {
  using T = Element;
  static constexpr Major major = Major::k;

  const TensorMap& map;

  template <class Tile>
  struct Copier {
    const TensorMap& map;
    int mn0;

    BURNISH_DEVICE Copier(const MappedOperand& from, int mn0, int, int) : map(from.map), mn0(mn0) {}

    /// One thread calls it.
    BURNISH_DEVICE void issue(u32 tile, int k0, u32 barrier) const {
      static_assert(Tile::line_bytes == 128 && Tile::line_chunks == 8);
      if constexpr (Tile::spread) copy_box(tile, map, barrier, k0, 0, 0, 0, mn0 / 32);
      else copy_box(tile, map, barrier, k0, mn0);
    }
  };
};

template <class Operand>
inline constexpr bool is_mapped = false;
template <class T>
inline constexpr bool is_mapped<MappedOperand<T>> = true;

}  // namespace burnish
