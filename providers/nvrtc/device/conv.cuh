// The image of a convolution or of a transposed one as an operand of `contract`: mn is the output position
// (n * out_h + oh) * out_w + ow, k is (kh * kernel_w + kw) * channels + c, and nothing is unfolded in memory.
// Implicit matrix products: Chetlur et al., cuDNN: Efficient Primitives for Deep Learning, 2014.
//
// The weights are the other operand, a MatrixOperand over [cout][kh][kw][cin] (k contiguous; give rows a stride that is
// a multiple of 16 bytes). Image as A, weights as B: rows of the result are positions and the epilogue's 8 columns are
// channels, for channels-last results. Weights as A, image as B: the 8 columns are positions, for channels-first ones.
#pragma once

#include "providers/nvrtc/device/contraction_tile.cuh"

namespace burnish {

/// One dimension of the window: a 1-D convolution has {1, 1, 1, 1, 0, 1} as its height.
/// Convolution: in = out * stride - pad + tap * dilation. Transposed: in = (out + pad - tap * dilation) / stride where
/// that is whole. `pad` is the leading one; `out` holds the trailing one's effect.
struct WindowAxis {
  int in, out, kernel, stride, pad, dilation;
};

/// `at` is the first channel of the group in the first image; `channels` are the group's. Strides in elements.
///
/// Bytes > 0: copied asynchronously, that many bytes of consecutive channels at a time (16, 8 or 4). stride_c is 1 (or
/// Bytes is one element); the other strides, `at` and `channels` are multiples of Bytes.
/// Bytes = 0: gathered, any strides; Along is Major::k if stride_c is the smallest, else Major::mn.
template <class Element, bool Transposed, Major Along, int Bytes>
struct WindowOperand {
  using T = Element;
  static_assert(Bytes == 0 || Bytes >= 4 && Bytes <= 16 && Bytes % sizeof(T) == 0);
  static constexpr Major major = Major::k;

  const T* at;
  i64 stride_n, stride_c, stride_h, stride_w;
  int channels;
  WindowAxis h, w;

  /// An output position: where its window starts (transposed: out + pad), and its image.
  struct Position {
    const T* image;
    int h, w;
  };
  /// A channel of one of the window's elements, as distance from the window's start.
  struct Tap {
    int h, w;
    i64 channel;
  };

  BURNISH_DEVICE Position position(int mn, int extent) const {
    const int n = mn / (h.out * w.out), rest = mn % (h.out * w.out);
    const int oh = rest / w.out, ow = rest % w.out;
    const int outside = -(1 << 30);
    const T* image = at + n * stride_n;
    if constexpr (Transposed) return {image, mn < extent ? oh + h.pad : outside, ow + w.pad};
    const int ih = oh * h.stride - h.pad, iw = ow * w.stride - w.pad;
    return {image + ih * stride_h + iw * stride_w, mn < extent ? ih : outside, iw};
  }
  BURNISH_DEVICE Tap tap(int k) const {
    const int element = k / channels;
    return {element / w.kernel * h.dilation, element % w.kernel * w.dilation, k % channels * stride_c};
  }
  /// The address of an element, and whether it lies inside the image.
  BURNISH_DEVICE const T* reach(const Position& p, const Tap& t, bool& inside) const {
    if constexpr (Transposed) {
      const int up = p.h - t.h, left = p.w - t.w;
      const int ih = up / h.stride, iw = left / w.stride;
      inside = up >= 0 && left >= 0 && up % h.stride == 0 && left % w.stride == 0 && ih < h.in && iw < w.in;
      return p.image + ih * stride_h + iw * stride_w + t.channel;
    } else {
      inside = u32(p.h + t.h) < u32(h.in) && u32(p.w + t.w) < u32(w.in);
      return p.image + (t.h * stride_h + t.w * stride_w + t.channel);
    }
  }

  template <class Tile>
  struct Copier;
  template <class Tile>
  struct Gatherer;
  template <class Tile>
  using Fetch = Choose<Bytes != 0, Copier<Tile>, Gatherer<Tile>>;
};

template <class T, Major Along, int Bytes>
using ConvOperand = WindowOperand<T, false, Along, Bytes>;
template <class T, Major Along, int Bytes>
using ConvTransposeOperand = WindowOperand<T, true, Along, Bytes>;

/// Copies tiles. A thread has one chunk of every `step`-th position.
template <class Element, bool Transposed, Major Along, int Bytes>
template <class Tile>
struct WindowOperand<Element, Transposed, Along, Bytes>::Copier {
  static constexpr int step = Tile::threads / Tile::line_chunks;
  static constexpr int count = (Tile::lines + step - 1) / step;
  static constexpr int piece = Bytes / sizeof(T);

  const WindowOperand& from;
  int line, chunk, depth;
  Position positions[count];

  BURNISH_DEVICE Copier(const WindowOperand& from, int mn0, int extent, int depth)
      : from(from),
        line(threadIdx.x / Tile::line_chunks),
        chunk(threadIdx.x % Tile::line_chunks),
        depth(depth) {
#pragma unroll
    for (int i = 0; i < count; ++i) positions[i] = from.position(mn0 + Tile::source(line + i * step), extent);
  }

  BURNISH_DEVICE void issue(u32 tile, int k0) const {
#pragma unroll
    for (int e = 0; e < Tile::chunk; e += piece) {
      const int k = k0 + chunk * Tile::chunk + e;
      const Tap tap = from.tap(k);
#pragma unroll
      for (int i = 0; i < count; ++i) {
        if (Tile::lines % step && line + i * step >= Tile::lines) break;
        bool inside;
        const T* p = from.reach(positions[i], tap, inside);
        copy_async_if<Bytes>(tile + Tile::offset(line + i * step, chunk) + e * sizeof(T), p,
                             inside && k < depth);
      }
    }
  }
  BURNISH_DEVICE void land(u32) const {}
};

/// Gathers tiles through registers: `issue` starts the loads, `land` stores what they brought.
template <class Element, bool Transposed, Major Along, int Bytes>
template <class Tile>
struct WindowOperand<Element, Transposed, Along, Bytes>::Gatherer {
  static constexpr int total = Tile::lines * Tile::line_chunks;
  static constexpr int count = (total + Tile::threads - 1) / Tile::threads;

  const WindowOperand& from;
  int depth;
  Position positions[count];
  Vec<T, Tile::chunk> held[count];

  static BURNISH_DEVICE int item(int i) { return threadIdx.x + i * Tile::threads; }
  static BURNISH_DEVICE int line_of(int item) {
    return Along == Major::mn ? item % Tile::lines : item / Tile::line_chunks;
  }
  static BURNISH_DEVICE int chunk_of(int item) {
    return Along == Major::mn ? item / Tile::lines : item % Tile::line_chunks;
  }

  BURNISH_DEVICE Gatherer(const WindowOperand& from, int mn0, int extent, int depth)
      : from(from), depth(depth) {
#pragma unroll
    for (int i = 0; i < count; ++i)
      positions[i] = from.position(mn0 + Tile::source(line_of(item(i))), item(i) < total ? extent : 0);
  }

  BURNISH_DEVICE void issue(u32, int k0) {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      const int k = k0 + chunk_of(item(i)) * Tile::chunk;
#pragma unroll
      for (int e = 0; e < Tile::chunk; ++e) {
        bool inside;
        const T* p = from.reach(positions[i], from.tap(k + e), inside);
        held[i].at[e] = inside && k + e < depth ? *p : T{};
      }
    }
  }
  BURNISH_DEVICE void land(u32 tile) const {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      if (total % Tile::threads && item(i) >= total) break;
      uint4 v;
      copy_vector<T, Tile::chunk>(&v, &held[i]);
      store_shared(tile + Tile::offset(line_of(item(i)), chunk_of(item(i))), v);
    }
  }
};

}  // namespace burnish
