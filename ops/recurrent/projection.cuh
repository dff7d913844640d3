// What no step of a recurrent net depends on: the products of all inputs with the weights, and the biases.
#pragma once

#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// gates[t, d, b, row] = sum over k of x[t, b, k] * w[d, row, k] + bias[d, row], in float; rows below `summed`
/// also add bias[d, rows + row], the recurrent bias.
/// gates: dense [time, directions, batch, rows]. x's strides over time, batch, inputs; w's over direction, row,
/// inputs; bias: dense [directions, 2 * rows], may be null.
/// Grid: (ceil(time * batch / 64), ceil(rows / 64), directions). Block: exactly (256, 1, 1). No dynamic shared
/// memory.
template <class T, class Weight>
BURNISH_DEVICE void recurrent_projection(const T* x, const Weight* w, const T* bias, float* gates, i64 time,
                                         i64 batch, i64 inputs, i64 rows, i64 summed,
                                         const Dims<3>& x_strides, const Dims<3>& w_strides) {
  constexpr int tile = 64, depth = 16, each = 4;
  __shared__ float xs[depth][tile + 1], ws[depth][tile + 1];
  const i64 first_item = i64(blockIdx.x) * tile, first_row = i64(blockIdx.y) * tile, direction = blockIdx.z;
  const i64 items = time * batch;
  const int column = threadIdx.x % 16, line = threadIdx.x / 16;
  float sum[each][each] = {};
  for (i64 from = 0; from < inputs; from += depth) {
    for (int e = threadIdx.x; e < tile * depth; e += 256) {
      const i64 k = from + e % depth, item = first_item + e / depth, row = first_row + e / depth;
      xs[e % depth][e / depth] =
          k < inputs && item < items
              ? float(load(x + offset_of(dims(item / batch, item % batch, k), x_strides)))
              : 0.0f;
      ws[e % depth][e / depth] =
          k < inputs && row < rows ? float(load(w + offset_of(dims(direction, row, k), w_strides))) : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < depth; ++k)
#pragma unroll
      for (int i = 0; i < each; ++i)
#pragma unroll
        for (int j = 0; j < each; ++j) sum[i][j] += xs[k][line * each + i] * ws[k][j * 16 + column];
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < each; ++i)
#pragma unroll
    for (int j = 0; j < each; ++j) {
      const i64 item = first_item + line * each + i, row = first_row + j * 16 + column;
      if (item >= items || row >= rows) continue;
      float value = sum[i][j];
      if (bias) {
        const T* of_row = bias + direction * 2 * rows + row;
        value += float(load(of_row)) + (row < summed ? float(load(of_row + rows)) : 0.0f);
      }
      gates[((item / batch * gridDim.z + direction) * batch + item % batch) * rows + row] = value;
    }
}

}  // namespace burnish
