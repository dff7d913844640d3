// Depthwise convolution of 16-bit channels-last images by tensor cores. Of one channel, 8 results of a row are the columns they
// look at times a band matrix that holds a row of the window:
//
//   out[row][n] = sum over kh, k of image[row + kh][k] * band_kh[k][n],   band_kh[k][n] = weights[kh][k - n], or 0
//
// Most of the band is 0, but a multiplication here costs a sixteenth of what it does outside of tensor cores. Images lie channel
// after channel in each pixel and the products want a channel's columns side by side: a block transposes the patch it needs on the
// way to shared memory.
//
// Sums are of exact products in float. Zeros of the band count: an infinity or NaN in the image makes NaN of what is computed
// together with the windows that hold it, up to 15 columns away.
#pragma once

#include "providers/nvrtc/device/depthwise.cuh"
#include "providers/nvrtc/device/mma.cuh"

namespace burnish {

/// How it is cut up: a warp computes 16 rows (16 / Images of each image) by 16 columns by 16 channels, a block Across warps along
/// the rows for each of Pairs 16 channels.
template <class Element, class DepthwiseWindow, int Across, int Pairs, int Images>
struct DepthwiseBand {
  using T = Element;
  using Window = DepthwiseWindow;
  static_assert(sizeof(T) == 2 && 16 % Images == 0);
  static constexpr int across = Across, images = Images, threads = 32 * Across * Pairs;
  static constexpr int rows = 16 / Images, columns = 16 * Across, channels = 16 * Pairs;
  static constexpr int groups = channels / 8;  ///< of 8 channels: 16 bytes of a pixel

  static constexpr int patch_rows =
      (rows - 1) * Window::stride_h + (Window::kernel_h - 1) * Window::dilation_h + 1;
  static constexpr int patch_columns =
      (columns - 1) * Window::stride_w + (Window::kernel_w - 1) * Window::dilation_w + 1;
  /// Chunks of 8 columns: those that 8 results look at, and those of the patch.
  static constexpr int depth = (7 * Window::stride_w + (Window::kernel_w - 1) * Window::dilation_w + 8) / 8;
  static constexpr int chunks = (2 * Across - 1) * Window::stride_w + depth;
  /// An odd number of chunks apart, 8 rows lie in different banks.
  static constexpr int row_bytes = 16 * (chunks | 1), plane_bytes = Images * patch_rows * row_bytes;
  static constexpr int group_bytes = 8 * plane_bytes + 64 / Pairs;

  /// A row of a channel's window as the band needs it: zeros, the taps, zeros. If windows are an odd number of columns apart
  /// there is a second copy one element further on, so that two elements can always be read at once.
  static constexpr int lead = (7 * Window::stride_w + 1) / 2 * 2, band = lead + 8 * depth;
  static constexpr int copies = Window::stride_w % 2 == 0 ? 1 : 2, band_bytes = 2 * copies * band;
  static constexpr int weight_bytes = channels * Window::kernel_h * band_bytes;
  static constexpr int shared_bytes = weight_bytes + groups * group_bytes;
};

/// Where a tile begins: image, row and column of the results, channel.
struct DepthwiseTile {
  int image, h, w, channel;
};

/// The tile of this block; channels fastest, so that what runs together reads whole pixels.
template <class C>
BURNISH_DEVICE DepthwiseTile depthwise_tile(int out_h, int out_w, int channels) {
  const u32 parts = ceil_div(channels, C::channels), along_w = ceil_div(out_w, C::columns),
            along_h = ceil_div(out_h, C::rows);
  const u32 place = blockIdx.x / parts, row = place / along_w;
  return {int(row / along_h) * C::images, int(row % along_h) * C::rows, int(place % along_w) * C::columns,
          int(blockIdx.x % parts) * C::channels};
}

/// Two neighbouring pixels' 8 channels, to the 8 planes of shared memory that begin at `to`.
BURNISH_DEVICE void store_transposed(u32 to, int plane_bytes, const uint4& left, const uint4& right) {
  const u32 a[4] = {left.x, left.y, left.z, left.w}, b[4] = {right.x, right.y, right.z, right.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    store_shared_word(to + 2 * i * plane_bytes, __byte_perm(a[i], b[i], 0x5410));
    store_shared_word(to + (2 * i + 1) * plane_bytes, __byte_perm(a[i], b[i], 0x7632));
  }
}

/// Brings what the tile's windows cover to shared memory, zeros where there is no image.
template <class C>
BURNISH_DEVICE void load_patch(u32 to, const DepthwiseImage<typename C::T>& image,
                               const DepthwiseTile& tile) {
  constexpr int width = C::chunks * 4, items = C::images * C::patch_rows * width * C::groups;
  constexpr int under_way = 4;
  const int top = tile.h * C::Window::stride_h - image.pad_h,
            left = tile.w * C::Window::stride_w - image.pad_w;
#pragma unroll 1
  for (int first = threadIdx.x; first < items; first += under_way * C::threads) {
    uint4 held[under_way][2];
#pragma unroll
    for (int i = 0; i < under_way; ++i) {
      const int item = first + i * C::threads, group = item % C::groups, pair = item / C::groups % width,
                row = item / (C::groups * width);
      const int n = tile.image + row / C::patch_rows, ih = top + row % C::patch_rows, iw = left + 2 * pair,
                channel = tile.channel + group * 8;
      const bool inside = row < C::images * C::patch_rows && n < image.n && u32(ih) < u32(image.in_h) &&
                          channel < image.channels;
      const auto* from = image.at + n * image.stride_n + ih * image.stride_h + iw * image.stride_w + channel;
#pragma unroll
      for (int k = 0; k < 2; ++k) {
        const bool taken = inside && 2 * pair + k < C::patch_columns && u32(iw + k) < u32(image.in_w);
        held[i][k] = taken ? *reinterpret_cast<const uint4*>(from + k * image.stride_w) : uint4{};
      }
    }
#pragma unroll
    for (int i = 0; i < under_way; ++i) {
      const int item = first + i * C::threads, group = item % C::groups, pair = item / C::groups % width,
                row = item / (C::groups * width);
      if (item < items)
        store_transposed(to + group * C::group_bytes + row * C::row_bytes + pair * 4, C::plane_bytes,
                         held[i][0], held[i][1]);
    }
  }
}

/// A warp's sums for 8 channels of 16 rows and 2 times 8 columns. `patch` is where this lane names a row of the matrices,
/// `weights` where its own part of the bands begins.
template <class C>
BURNISH_DEVICE void multiply_band(float (&sum)[8][2][4], u32 patch, u32 weights) {
  using Window = typename C::Window;
  constexpr int step = Window::stride_w, chunks = step + C::depth;
#pragma unroll
  for (int c = 0; c < 8; ++c)
#pragma unroll
    for (int kh = 0; kh < Window::kernel_h; ++kh) {
      u32 a[chunks][2], b[C::depth];
      const u32 from = patch + c * C::plane_bytes + kh * Window::dilation_h * C::row_bytes;
#pragma unroll
      for (int i = 0; i + 1 < chunks; i += 2) {
        u32 both[4];
        load_matrices(both, from + i * 16);
        a[i][0] = both[0], a[i][1] = both[1], a[i + 1][0] = both[2], a[i + 1][1] = both[3];
      }
      if constexpr (chunks % 2 != 0) load_matrices(a[chunks - 1], from + (chunks - 1) * 16);
#pragma unroll
      for (int i = 0; i < C::depth; ++i)
        b[i] = load_shared_word(weights + (c * Window::kernel_h + kh) * C::band_bytes + i * 16);
#pragma unroll
      for (int t = 0; t < 2; ++t) {
#pragma unroll
        for (int i = 0; i + 1 < C::depth; i += 2) {
          const u32(&low)[2] = a[t * step + i], (&high)[2] = a[t * step + i + 1];
          const u32 both[4] = {low[0], low[1], high[0], high[1]};
          multiply_matrices<typename C::T>(sum[c][t], both, b[i], b[i + 1]);
        }
        if constexpr (C::depth % 2 != 0)
          multiply_matrices<typename C::T>(sum[c][t], a[t * step + C::depth - 1], b[C::depth - 1]);
      }
    }
}

/// Of two neighbouring lanes, the even one gets the first operands of both, the odd one the second ones.
template <class V>
BURNISH_DEVICE void trade(V& first, V& second) {
  struct Words {
    u32 at[sizeof(V) / 4];
  };
  static_assert(sizeof(Words) == sizeof(V));
  Words a = __builtin_bit_cast(Words, first), b = __builtin_bit_cast(Words, second);
  const bool odd = threadIdx.x % 2 != 0;
#pragma unroll
  for (int i = 0; i < int(sizeof(V) / 4); ++i) {
    const u32 got = __shfl_xor_sync(~0u, odd ? a.at[i] : b.at[i], 1);
    a.at[i] = odd ? got : a.at[i];
    b.at[i] = odd ? b.at[i] : got;
  }
  first = __builtin_bit_cast(V, a);
  second = __builtin_bit_cast(V, b);
}

/// As `depthwise` with Multiplier 1, for an image whose stride_c is 1 and whose address, channels and other strides are multiples
/// of 8. `weights` are [channels, to a multiple of 64][kernel_h][copies][band] (see DepthwiseBand), 0 beyond the channels.
///
/// Launch: block = C::threads, C::shared_bytes of dynamic shared memory, grid.x = ceil(n / images) * ceil(out_h / rows) *
/// ceil(out_w / columns) * ceil(channels / C::channels).
template <class C, class Epilogue>
BURNISH_DEVICE void depthwise_band(const DepthwiseImage<typename C::T>& image, const typename C::T* weights,
                                   int out_h, int out_w, const Epilogue& epilogue) {
  extern __shared__ __align__(128) u8 burnish_shared[];
  const u32 shared = shared_address(burnish_shared), patch = shared + C::weight_bytes;
  const DepthwiseTile tile = depthwise_tile<C>(out_h, out_w, image.channels);
  const u8* bands =
      reinterpret_cast<const u8*>(weights) + i64(tile.channel) * (C::Window::kernel_h * C::band_bytes);
#pragma unroll 1
  for (int i = threadIdx.x * 16; i < C::weight_bytes; i += C::threads * 16)
    copy_async<16>(shared + i, bands + i, 16);
  commit_copies();
  load_patch<C>(patch, image, tile);
  wait_copies<0>();
  __syncthreads();

  const int lane = threadIdx.x % 32, g = lane / 4, q = lane % 4, warp = threadIdx.x / 32;
  const int along_w = warp % C::across, pair = warp / C::across;
  const u32 row = lane % 16 / C::rows * C::patch_rows + lane % 16 % C::rows * C::Window::stride_h;
  const u32 rows = patch + row * C::row_bytes + along_w * 2 * C::Window::stride_w * 16 + lane / 16 * 16;
  const int element = C::lead + 2 * q - C::Window::stride_w * g, odd = element % 2;
  const u32 taps = shared + 2 * (element - odd) + odd * (2 * C::band);

  /// The position of the lane `neighbour` of the quad, and whether there is one.
  const auto position = [&](int neighbour, int t, int r, int& at) {
    const int m = g + r / 2 * 8, n = tile.image + m / C::rows, oh = tile.h + m % C::rows,
              ow = tile.w + along_w * 16 + t * 8 + 2 * neighbour + r % 2;
    at = (n * out_h + oh) * out_w + ow;
    return n < image.n && oh < out_h && ow < out_w;
  };
  using Result =
      decltype(epilogue.results(*static_cast<float (*)[8]>(nullptr), epilogue.template fetch<8>(0, 0, 8)));
  Result before[2][4];  // of the first 8 channels
#pragma unroll 1
  for (int half = 0; half < 2; ++half) {
    const int group = pair * 2 + half, channel = tile.channel + group * 8;
    float sum[8][2][4] = {};
    multiply_band<C>(sum, rows + group * C::group_bytes,
                     taps + group * (8 * C::Window::kernel_h * C::band_bytes));
    Result now[2][4];
#pragma unroll
    for (int t = 0; t < 2; ++t)
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        float v[8];
#pragma unroll
        for (int c = 0; c < 8; ++c) v[c] = sum[c][t][r];
        int at;
        if (position(q, t, r, at) && channel < image.channels)
          now[t][r] = epilogue.results(v, epilogue.template fetch<8>(at, channel, 8));
      }
#pragma unroll
    for (int t = 0; t < 2; ++t)
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        if (half == 0) {
          before[t][r] = now[t][r];
          continue;
        }
        // Two lanes have two positions of 8 channels twice. They write 16 channels of one, then of the other.
        trade(before[t][r], now[t][r]);
        const int to = channel - 8 + q % 2 * 8;
        int at;
        if (position(q & ~1, t, r, at) && to < image.channels) epilogue.put(at, to, before[t][r], 8);
        if (position(q | 1, t, r, at) && to < image.channels) epilogue.put(at, to, now[t][r], 8);
      }
  }
}

}  // namespace burnish
