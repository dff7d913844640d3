// The image of a convolution, of whose windows the copy engine of sm_90 brings one element after the other.
#pragma once

#include "providers/nvrtc/device/contraction_map.cuh"
#include "providers/nvrtc/device/conv.cuh"

namespace burnish {

/// As ConvOperand, for images whose channels lie together, a multiple of the 64 that a step takes. Its map is {channels, w, h, n}
/// with the windows of `h` and `w`.
template <class Element>
struct MappedWindows {
  using T = Element;
  static constexpr Major major = Major::k;

  const TensorMap& map;
  int channels;
  WindowAxis h, w;

  template <class Tile>
  struct Copier {
    const MappedWindows& from;
    int depth, image, row, column;  ///< where the first window begins

    BURNISH_DEVICE Copier(const MappedWindows& from, int mn0, int, int depth) : from(from), depth(depth) {
      const int per_image = from.h.out * from.w.out, rest = mn0 % per_image;
      image = mn0 / per_image;
      row = rest / from.w.out * from.h.stride - from.h.pad;
      column = rest % from.w.out * from.w.stride - from.w.pad;
    }

    /// One thread calls it.
    BURNISH_DEVICE void issue(u32 tile, int k0, u32 barrier) const {
      static_assert(Tile::line_bytes == 128 && Tile::line_chunks == 8 && !Tile::spread);
      const int element = k0 / from.channels;
      const int channel = k0 < depth ? k0 % from.channels : from.channels;  // beyond all elements is 0
      copy_windows(tile, from.map, barrier, channel, column, row, image,
                   element % from.w.kernel * from.w.dilation, element / from.w.kernel * from.h.dilation);
    }
  };
};

template <class T>
inline constexpr bool is_mapped<MappedWindows<T>> = true;

}  // namespace burnish
