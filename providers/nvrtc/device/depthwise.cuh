// Depthwise convolution, direct: every output channel looks at one input channel.
#pragma once

#include "providers/nvrtc/device/epilogue.cuh"
#include "providers/nvrtc/device/types.cuh"

namespace burnish {

/// The window, known when the engine is built.
template <int KernelH, int KernelW, int StrideH, int StrideW, int DilationH, int DilationW>
struct DepthwiseWindow {
  static constexpr int kernel_h = KernelH, kernel_w = KernelW, stride_h = StrideH, stride_w = StrideW;
  static constexpr int dilation_h = DilationH, dilation_w = DilationW;

  /// Whether the window has taps `offset` rows below its first.
  static constexpr __device__ bool has_row(int offset) {
    return offset >= 0 && offset % DilationH == 0 && offset / DilationH < KernelH;
  }
  /// Whether an output of the strip looks `column` columns right of the strip's first column.
  static constexpr __device__ bool uses_column(int column, int strip) {
#pragma unroll
    for (int s = 0; s < strip; ++s)
#pragma unroll
      for (int kw = 0; kw < KernelW; ++kw)
        if (s * StrideW + kw * DilationW == column) return true;
    return false;
  }
  /// The same for rows.
  static constexpr __device__ bool uses_row(int row, int rows) {
#pragma unroll
    for (int r = 0; r < rows; ++r)
      if (has_row(row - r * StrideH)) return true;
    return false;
  }
};

/// The image: n by in_h by in_w by `channels`, any strides (in elements); pads are the leading ones.
template <class T>
struct DepthwiseImage {
  const T* at;
  i64 stride_n, stride_c, stride_h, stride_w;
  int n, channels, in_h, in_w, pad_h, pad_w;
};

/// out[n][oh][ow][oc] = sum over kh, kw of image[n][ih][iw][oc / Multiplier] * weights[kh][kw][oc], a float sum.
///
/// A thread computes V consecutive output channels of Rows by Strip neighbours, keeping what they share in registers. V > 1
/// needs stride_c = 1 and Multiplier = 1; it reads 16 bytes (or V elements) at a time if `aligned`: at, every stride and weights'
/// rows are multiples of them. Image and weights have storage types T and W.
/// `channels_fastest`: neighbouring lanes take neighbouring channels (else positions: for channels-first tensors, V = 1).
///
/// Launch: any 1-D block, grid.x = ceil(items / block), items = n * ceil(out_h / Rows) * ceil(out_w / Strip) *
/// ceil(channels * Multiplier / V) < 2^31; no shared memory.
/// The epilogue is as in `contract`, called once per position (n * out_h + oh) * out_w + ow and V channels.
template <class Window, int V, int Rows, int Strip, int Multiplier = 1, class T, class W, class Epilogue>
BURNISH_DEVICE void depthwise(const DepthwiseImage<T>& image, const W* weights, int out_h, int out_w,
                              bool aligned, bool channels_fastest, const Epilogue& epilogue) {
  static_assert(V == 1 || Multiplier == 1);
  const int channels = image.channels * Multiplier, parts = ceil_div(channels, V),
            strips = ceil_div(out_w, Strip), bands = ceil_div(out_h, Rows);
  u32 rest = blockIdx.x * blockDim.x + threadIdx.x;
  if (rest >= u32(image.n) * bands * strips * parts) return;
  int part = 0;
  if (channels_fastest) part = rest % parts, rest /= parts;
  const int ow0 = rest % strips * Strip;
  rest /= strips;
  const int oh0 = rest % bands * Rows;
  rest /= bands;
  if (!channels_fastest) part = rest % parts, rest /= parts;
  const int n = rest, channel = part * V;
  const int count =
      channels % V == 0 ? V : least(channels - channel, V);  // a literal where `channels` is one

  constexpr int rows = (Rows - 1) * Window::stride_h + (Window::kernel_h - 1) * Window::dilation_h + 1;
  constexpr int columns = (Strip - 1) * Window::stride_w + (Window::kernel_w - 1) * Window::dilation_w + 1;
  const int ih0 = oh0 * Window::stride_h - image.pad_h, iw0 = ow0 * Window::stride_w - image.pad_w;
  const T* start = image.at + n * image.stride_n + channel / Multiplier * image.stride_c;
  float sum[Rows][Strip][V] = {};
#pragma unroll
  for (int row = 0; row < rows; ++row) {
    if (!Window::uses_row(row, Rows)) continue;
    const bool row_inside = u32(ih0 + row) < u32(image.in_h);
    float w[Rows][Window::kernel_w][V];  // what this row is multiplied by for each row of results
#pragma unroll
    for (int r = 0; r < Rows; ++r)
#pragma unroll
      for (int kw = 0; kw < Window::kernel_w; ++kw)
        if (Window::has_row(row - r * Window::stride_h))
          load_row<W, V>(
              weights +
                  i64((row - r * Window::stride_h) / Window::dilation_h * Window::kernel_w + kw) * channels +
                  channel,
              1, count, aligned, w[r][kw]);
#pragma unroll
    for (int column = 0; column < columns; ++column) {
      if (!Window::uses_column(column, Strip)) continue;
      float x[V] = {};
      if (row_inside && u32(iw0 + column) < u32(image.in_w))
        load_row<T, V>(start + (ih0 + row) * image.stride_h + (iw0 + column) * image.stride_w, image.stride_c,
                       count, aligned, x);
#pragma unroll
      for (int r = 0; r < Rows; ++r)
#pragma unroll
        for (int s = 0; s < Strip; ++s)
#pragma unroll
          for (int kw = 0; kw < Window::kernel_w; ++kw)
            if (Window::has_row(row - r * Window::stride_h) &&
                s * Window::stride_w + kw * Window::dilation_w == column)
#pragma unroll
              for (int i = 0; i < V; ++i) sum[r][s][i] += x[i] * w[r][kw][i];
    }
  }
#pragma unroll
  for (int r = 0; r < Rows; ++r)
#pragma unroll
    for (int s = 0; s < Strip; ++s)
      if (oh0 + r < out_h && ow0 + s < out_w) {
        const int position = (n * out_h + oh0 + r) * out_w + ow0 + s;
        finish_row(epilogue, position, channel, sum[r][s], count);
      }
}

}  // namespace burnish
