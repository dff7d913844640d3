// LSTM: the recurrence alone. The products of the inputs with W, and the biases, are one matrix product done
// before.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// Activations of the gates (f), of the cell candidate (g) and of the output (h).
struct LstmActivations {
  static BURNISH_DEVICE float f(float x) { return prim::sigmoid(x); }
  static BURNISH_DEVICE float g(float x) { return prim::tanh(x); }
  static BURNISH_DEVICE float h(float x) { return prim::tanh(x); }
};

/// What an LSTM reads and writes; T is the storage type, Gate that of the gates. Gates are in ONNX's order
/// i, o, f, c. Pointers that may be null say so.
template <class T, class Gate = T>
struct LstmOperands {
  const Gate* gates;     ///< x W^T + Wb + Rb: [time, direction, batch, 4 * hidden], the last axis dense
  Dims<3> gate_strides;  ///< over time, direction, batch
  const T* recurrent;  ///< R transposed: dense [direction, hidden, 4 * hidden], so that lanes read neighbours
  const T* peephole;   ///< P: dense [direction, 3 * hidden], order i, o, f; null: none
  const T* initial_h;  ///< null: zeros
  const T* initial_c;  ///< null: zeros
  Dims<2> initial_h_strides, initial_c_strides;  ///< over direction, batch; hidden is dense
  const int* lengths;                            ///< [batch]: steps of each sequence; null: all of time
  T* y;                                          ///< [time, direction, batch, hidden]; null: not wanted
  Dims<3> y_strides;                             ///< over time, direction, batch; hidden is dense
  T* y_h;                                        ///< null: not wanted
  T* y_c;                                        ///< null: not wanted
  Dims<2> y_h_strides, y_c_strides;              ///< over direction, batch
};

/// Runs the recurrence for `time` steps:
///   i, o, f = F(gate + h R^T + P * c), c' = G(gate + h R^T), c = f * c + i * c', h = H(c) * o
/// (o sees the new c; with couple, f = 1 - i). What goes into F, G and H is clipped to [-clip, clip]:
/// infinity for no
/// clipping. Direction d runs backwards if d == 1 or all_reverse. Past a sequence's length y is 0 and the
/// state stays. Math is in float.
/// Grid: (ceil(batch / tile), directions, 1).
/// Block: (threads, 1, 1) with any number of threads; 4 * hidden up to 1024 keeps all busy.
/// tile: batch elements per block, which share each read of R.
/// Dynamic shared memory: tile * 6 * hidden * 4 bytes.
template <int tile, bool couple, class Activations = LstmActivations, class T, class Gate>
BURNISH_DEVICE void lstm(const LstmOperands<T, Gate>& p, i64 time, i64 batch, int hidden, float clip,
                         bool all_reverse) {
  extern __shared__ float lstm_shared[];
  float* h = lstm_shared;           // [tile][hidden]
  float* c = h + tile * hidden;     // [tile][hidden]
  float* sums = c + tile * hidden;  // [tile][4 * hidden]
  const int direction = blockIdx.y, rows = 4 * hidden;
  const i64 first = i64(blockIdx.x) * tile;
  const bool backwards = all_reverse || direction == 1;
  const T* recurrent = p.recurrent + i64(direction) * hidden * rows;
  const T* peephole = p.peephole ? p.peephole + i64(direction) * 3 * hidden : nullptr;
  auto limited = [&](float x) { return prim::clip(x, -clip, clip); };
  auto length_of = [&](i64 b) { return p.lengths ? least(i64(p.lengths[b]), time) : time; };

  for (int e = threadIdx.x; e < tile * hidden; e += blockDim.x) {
    const i64 b = first + e / hidden;
    const int unit = e % hidden;
    h[e] = p.initial_h && b < batch
               ? float(load(p.initial_h + offset_of(dims(direction, b), p.initial_h_strides) + unit))
               : 0.0f;
    c[e] = p.initial_c && b < batch
               ? float(load(p.initial_c + offset_of(dims(direction, b), p.initial_c_strides) + unit))
               : 0.0f;
  }
  __syncthreads();
  for (i64 step = 0; step < time; ++step) {
    for (int row = threadIdx.x; row < rows; row += blockDim.x) {
      float sum[tile] = {};
      for (int k = 0; k < hidden; ++k) {
        const float weight = float(load(recurrent + i64(k) * rows + row));
#pragma unroll
        for (int j = 0; j < tile; ++j) sum[j] += weight * h[j * hidden + k];
      }
#pragma unroll
      for (int j = 0; j < tile; ++j) sums[j * rows + row] = sum[j];
    }
    __syncthreads();
    for (int e = threadIdx.x; e < tile * hidden; e += blockDim.x) {
      const int j = e / hidden, unit = e % hidden;
      const i64 b = first + j;
      if (b >= batch) continue;
      const i64 length = length_of(b);
      const bool running = step < length;
      const i64 t = running && backwards ? length - 1 - step : step;
      if (running) {
        const Gate* gates = p.gates + offset_of(dims(t, direction, b), p.gate_strides) + unit;
        const float* own = sums + j * rows + unit;
        auto gate = [&](int which) { return own[which * hidden] + float(load(gates + i64(which) * hidden)); };
        auto peep = [&](int which, float cell) {
          return peephole ? float(load(peephole + which * hidden + unit)) * cell : 0.0f;
        };
        const float i = Activations::f(limited(gate(0) + peep(0, c[e])));
        const float f = couple ? 1 - i : Activations::f(limited(gate(2) + peep(2, c[e])));
        c[e] = f * c[e] + i * Activations::g(limited(gate(3)));
        h[e] = Activations::f(limited(gate(1) + peep(1, c[e]))) * Activations::h(limited(c[e]));
      }
      if (p.y)
        store(p.y + offset_of(dims(t, direction, b), p.y_strides) + unit, compute<T>(running ? h[e] : 0.0f));
    }
    __syncthreads();
  }
  for (int e = threadIdx.x; e < tile * hidden; e += blockDim.x) {
    const i64 b = first + e / hidden;
    const int unit = e % hidden;
    if (b >= batch) continue;
    if (p.y_h) store(p.y_h + offset_of(dims(direction, b), p.y_h_strides) + unit, compute<T>(h[e]));
    if (p.y_c) store(p.y_c + offset_of(dims(direction, b), p.y_c_strides) + unit, compute<T>(c[e]));
  }
}

}  // namespace burnish
