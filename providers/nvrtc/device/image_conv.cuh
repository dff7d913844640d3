// Convolution of an image of few channels, the first one of a network: a block copies a patch of the image into shared memory
// as pixels of 4 channels and multiplies it from there. Along a row of the window pixels lie together, so with an even step from
// window to window the rows of the image's matrix can be read where they are, and nothing is unfolded or packed before.
//
// k is (kh, kw, c), the taps along kw padded to a multiple of 4 and the channels to 4: each 16 of k are 4 pixels of a row.
//
// The weights lie in the order in which lanes hold them, [32 channels][kh][4 pixels][2][lane][8]: element e of lane 4g+q in part
// p belongs to channel g / 2 * 8 + (2p + e / 4) * 2 + g % 2 of the 32, and to k = e / 2 % 2 * 8 + 2q + e % 2 of the step. So a
// lane's sums are those of 8 channels that follow one another.
#pragma once

#include "providers/nvrtc/device/contraction_finish.cuh"
#include "providers/nvrtc/device/pack_image.cuh"

namespace burnish {

/// How it is cut up: four warps compute Rows rows of 16 positions each, for Columns channels (32 or 64) at a time. The step along
/// w must be even.
/// Launch: block = threads, dynamic shared memory = shared_bytes(channels), any grid.x (blocks share the tiles out).
template <class Element, int KernelH, int KernelW, int StrideH, int StrideW, int Rows, int Columns>
struct ImageConv {
  using T = Element;
  static_assert(sizeof(T) == 2 && StrideW % 2 == 0 && Columns % 32 == 0);
  static constexpr int warps = 4, threads = 32 * warps;
  static constexpr int kernel_h = KernelH, kernel_w = KernelW, stride_h = StrideH, stride_w = StrideW;
  static constexpr int rows = Rows, columns = Columns, tile_h = warps * Rows, tile_w = 16;
  static constexpr int steps = (KernelW + 3) / 4;  ///< of 16 of k, in a row of the window
  static constexpr int patch_h = (tile_h - 1) * StrideH + KernelH;
  static constexpr int patch_w = (tile_w - 1) * StrideW + steps * 4;
  static constexpr int pixel_bytes = 4 * sizeof(T);
  static constexpr int row_bytes = patch_w * pixel_bytes, patch_bytes = patch_h * row_bytes;
  static constexpr int step_bytes = 16 * 32 * sizeof(T), group_bytes = KernelH * steps * step_bytes;
  static_assert(row_bytes % 16 == 0 && patch_w <= threads);

  static BURNISH_DEVICE constexpr int weight_bytes(int channels) {
    return ceil_div(channels, Columns) * (Columns / 32) * group_bytes;
  }
  static BURNISH_DEVICE constexpr int shared_bytes(int channels) {
    return weight_bytes(channels) + 2 * patch_bytes;
  }
};

/// Channels of [images, Channels, h, w] anywhere; `pad_h` and `pad_w` are the leading ones.
template <class Tx, int Channels>
struct FewChannelImage {
  using Element = Tx;
  static constexpr int channels = Channels;
  static_assert(Channels <= 4);
  const Tx* at;
  ImageStrides strides;
  int h, w, pad_h, pad_w;
};

/// An output tile: its image and its first position there.
struct ImageTile {
  int image, h, w;
};

template <class C>
BURNISH_DEVICE ImageTile image_tile(int tile, int tiles_h, int tiles_w) {
  const u32 row = u32(tile) / u32(tiles_w);
  return {int(row / u32(tiles_h)), int(row % u32(tiles_h)) * C::tile_h,
          int(u32(tile) % u32(tiles_w)) * C::tile_w};
}

/// What the windows of a tile cover, on its way into shared memory: `fetch` starts to read, `land` stores. A thread has one column
/// of it, in every `lines`-th row.
template <class C, class Image>
struct Patch {
  using T = typename C::T;
  using Tx = typename Image::Element;
  static constexpr int lines = C::threads / C::patch_w, count = (C::patch_h + lines - 1) / lines;
  int line, column;
  Tx held[count][Image::channels];

  BURNISH_DEVICE Patch() : line(threadIdx.x / C::patch_w), column(threadIdx.x % C::patch_w) {}

  BURNISH_DEVICE void fetch(const Image& image, ImageTile tile) {
    const int top = tile.h * C::stride_h - image.pad_h + line;
    const int left = tile.w * C::stride_w - image.pad_w + column;
    const Tx* from = image.at + tile.image * image.strides.n + top * image.strides.h + left * image.strides.w;
    const bool across = line < lines && u32(left) < u32(image.w);
#pragma unroll
    for (int i = 0; i < count; ++i) {
      const bool inside = across && u32(top + i * lines) < u32(image.h);
#pragma unroll
      for (int c = 0; c < Image::channels; ++c)
        held[i][c] = inside ? from[i * lines * image.strides.h + c * image.strides.c] : Tx{};
    }
  }

  BURNISH_DEVICE void land(u8* patch) const {
    u8* to = patch + line * C::row_bytes + column * C::pixel_bytes;
#pragma unroll
    for (int i = 0; i < count; ++i) {
      Vec<T, 4> v{};
#pragma unroll
      for (int c = 0; c < Image::channels; ++c)
        if constexpr (is_same<Tx, T>) v.at[c] = held[i][c];
        else v.at[c] = narrow<T>(widen(held[i][c]));
      if (line < lines && line + i * lines < C::patch_h) copy_vector<T, 4>(to + i * lines * C::row_bytes, &v);
    }
  }
};

/// A warp's sums of one row of 16 positions, as `finish_in_place` takes them.
template <class C>
struct RowSums {
  static constexpr int rows = 64, columns = C::columns;  ///< rows: of four warps
  float sum[1][C::columns / 8][4];
};

/// Reads 16 positions by 4 pixels. Taps that only fill up the window's row are taken as 0, whatever the image has there.
template <class C>
BURNISH_DEVICE void read_pixels(u32 (&a)[4], u32 from, int step) {
  load_matrices(a, from + step * 4 * C::pixel_bytes);
  const int tap = step * 4 + threadIdx.x % 4 / 2;
  if (step * 4 + 4 > C::kernel_w)
#pragma unroll
    for (int i = 0; i < 4; ++i)
      if (tap + i / 2 * 2 >= C::kernel_w) a[i] = 0;
}

/// The products of a warp's rows with C::columns channels. `patch` is where this lane names a row of the matrices, `weights` where
/// its own begin. What one row of windows has read of the image serves the next ones.
template <class C>
BURNISH_DEVICE void multiply_patch(RowSums<C> (&sums)[C::rows], u32 patch, u32 weights) {
  u32 a[(C::rows - 1) * C::stride_h + C::kernel_h][C::steps][4];
#pragma unroll
  for (int kh = 0; kh < C::kernel_h; ++kh)
#pragma unroll
    for (int step = 0; step < C::steps; ++step) {
#pragma unroll
      for (int row = 0; row < C::rows; ++row) {
        const int h = row * C::stride_h + kh;
        if (kh < C::stride_h || row + 1 == C::rows)
          read_pixels<C>(a[h][step], patch + h * C::row_bytes, step);
      }
#pragma unroll
      for (int part = 0; part < C::columns / 16; ++part) {
        const uint4 b = load_shared(weights + part / 2 * C::group_bytes +
                                    (kh * C::steps + step) * C::step_bytes + part % 2 * (C::step_bytes / 2));
#pragma unroll
        for (int row = 0; row < C::rows; ++row) {
          const u32(&of_row)[4] = a[row * C::stride_h + kh][step];
          multiply_matrices<typename C::T>(sums[row].sum[0][part * 2], of_row, b.x, b.y);
          multiply_matrices<typename C::T>(sums[row].sum[0][part * 2 + 1], of_row, b.z, b.w);
        }
      }
    }
}

/// Computes all tiles: positions [images, out_h, out_w] by `channels`. `epilogue(image, row, column)` gives the one of a row of
/// positions from `column` on: its m counts from there, its n is the channel.
template <class C, class Image, class Epilogue>
BURNISH_DEVICE void convolve_image(const Image& image, const typename C::T* weights, int images, int out_h,
                                   int out_w, int channels, const Epilogue& epilogue) {
  extern __shared__ __align__(128) u8 burnish_shared[];
  const int weight_bytes = C::weight_bytes(channels), lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const u32 shared = shared_address(burnish_shared);
#pragma unroll 1
  for (int i = threadIdx.x * 16; i < weight_bytes; i += C::threads * 16)
    copy_async<16>(shared + i, reinterpret_cast<const u8*>(weights) + i, 16);
  commit_copies();

  const int tiles_h = ceil_div(out_h, C::tile_h), tiles_w = ceil_div(out_w, C::tile_w);
  const int tiles = images * tiles_h * tiles_w;
  Patch<C, Image> patch;
  int tile = blockIdx.x, filling = weight_bytes;
  if (tile < tiles) patch.fetch(image, image_tile<C>(tile, tiles_h, tiles_w));
  for (; tile < tiles; tile += gridDim.x) {
    patch.land(burnish_shared + filling);
    wait_copies<0>();
    __syncthreads();  // the patch has arrived for every thread; nobody reads the one before any more
    const ImageTile place = image_tile<C>(tile, tiles_h, tiles_w);
    if (tile + int(gridDim.x) < tiles) patch.fetch(image, image_tile<C>(tile + gridDim.x, tiles_h, tiles_w));
    const int width = out_w % C::tile_w == 0 ? C::tile_w : least(out_w - place.w, C::tile_w);
    const u32 from = shared + filling + warp * (C::rows * C::stride_h * C::row_bytes) +
                     lane % 16 * (C::stride_w * C::pixel_bytes) + lane / 16 * 16;
#pragma unroll 1
    for (int n0 = 0; n0 < channels; n0 += C::columns) {
      RowSums<C> sums[C::rows] = {};
      multiply_patch(sums, from, shared + n0 / 32 * C::group_bytes + lane * 16);
#pragma unroll
      for (int row = 0; row < C::rows; ++row) {
        const int h = place.h + warp * C::rows + row;
        if (out_h % C::tile_h == 0 || h < out_h)
          finish_in_place(sums[row], {0, n0, width, channels}, epilogue(place.image, h, place.w));
      }
    }
    filling = 2 * weight_bytes + C::patch_bytes - filling;
  }
}

}  // namespace burnish
