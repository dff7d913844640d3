// An image brought into the form in which a convolution can copy it asynchronously.
#pragma once

#include "providers/nvrtc/device/types.cuh"

namespace burnish {

/// Strides of [images, channels, height, width], in elements.
struct ImageStrides {
  i64 n, c, h, w;
};

/// packed[n][h][w][c], dense, is x there for c < channels and 0 for channels <= c < Padded. Padded is a multiple of V, and V
/// elements are stored at once; neighbouring threads take neighbouring positions.
/// Launch: any 1-D block, grid.x = ceil(items / block), items = images * Padded / V * height * width < 2^32.
template <int Padded, int V, class Tx, class T>
BURNISH_DEVICE void pack_image(const Tx* x, const ImageStrides& strides, T* packed, int images, int channels,
                               int height, int width) {
  constexpr u32 parts = Padded / V;
  const u32 plane = u32(height) * u32(width), item = blockIdx.x * blockDim.x + threadIdx.x;
  const u32 position = item % plane, part = item / plane % parts, image = item / plane / parts;
  if (image >= u32(images)) return;
  const Tx* from =
      x + image * strides.n + position / u32(width) * strides.h + position % u32(width) * strides.w;
  compute<T> v[V];
#pragma unroll
  for (int i = 0; i < V; ++i) {
    const int channel = part * V + i;
    v[i] = channel < channels ? compute<T>(load(from + channel * strides.c)) : compute<T>(0);
  }
  store_vector<T, V>(packed + (i64(image) * plane + position) * Padded + part * V, v);
}

}  // namespace burnish
