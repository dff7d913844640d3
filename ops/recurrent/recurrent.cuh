// Recurrent nets: the recurrence alone, for any cell. The products of the inputs with W, and the biases, are one
// matrix product done before (projection.cuh); what a unit makes of its gates is the cell's (lstm, gru, rnn.cuh).
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// What a recurrent net reads and writes; T is the storage type, Weight that of R. States are h and, for LSTM, c.
/// Gates are in ONNX's order. Pointers that may be null say so.
template <class T, class Weight = T>
struct RecurrentOperands {
  const float* gates;    ///< x W^T and biases: [time, direction, batch, gates * hidden], the last axis dense
  Dims<3> gate_strides;  ///< over time, direction, batch
  const Weight*
      recurrent;        ///< R packed: dense [direction, hidden / pack, gates * hidden, pack], 16-byte aligned
  const T* parameters;  ///< the cell's own: [direction, parameter, hidden], the last two dense; null: none
  i64 parameter_stride;        ///< over direction
  const int* lengths;          ///< [batch]: steps of each sequence; null: all of time
  const T* initial[2];         ///< of each state; null: zeros
  Dims<2> initial_strides[2];  ///< over direction, batch; hidden is dense
  T* y;                        ///< [time, direction, batch, hidden]; null: not wanted
  Dims<3> y_strides;           ///< over time, direction, batch; hidden is dense
  T* last[2];                  ///< of each state; null: not wanted
  Dims<2> last_strides[2];     ///< over direction, batch; hidden is dense
};

/// One unit of one sequence in one step, as its cell sees it.
template <class T>
struct RecurrentUnit {
  const float* from_x;  ///< x W^T and biases; gate g at g * hidden
  float* from_h;        ///< h R^T likewise
  const T* parameters;  ///< parameter k at k * hidden; null: none
  int hidden;
  float clip;
  float &h, &c;  ///< before the step; c is LSTM's

  BURNISH_DEVICE float x(int gate) const { return from_x[i64(gate) * hidden]; }
  BURNISH_DEVICE float& product(int gate) const { return from_h[gate * hidden]; }
  BURNISH_DEVICE float gate(int which) const { return product(which) + x(which); }
  /// A parameter times `factor`; 0 where there are none.
  BURNISH_DEVICE float scaled(int parameter, float factor) const {
    return parameters ? float(load(parameters + parameter * hidden)) * factor : 0.0f;
  }
  BURNISH_DEVICE float limited(float value) const { return prim::clip(value, -clip, clip); }
};

/// sums[j][row] = sum over k of from[j][k] * R[row][k], for first <= row < last. `weights`: R of one direction,
/// packed: a thread has a row and reads `pack` elements of it at once, its neighbours those beside.
template <int tile, int pack, class T>
BURNISH_DEVICE void recurrent_product(const T* weights, const float* from, int from_stride, float* sums,
                                      int rows, int hidden, int first, int last) {
  for (int row = first + threadIdx.x; row < last; row += blockDim.x) {
    float sum[tile] = {};
#pragma unroll 4
    for (int k = 0; k < hidden; k += pack) {
      float weight[pack], state[pack];
      load_vector<T, pack>(weights + i64(k) * rows + row * pack, weight);
#pragma unroll
      for (int j = 0; j < tile; ++j) {
        load_vector<float, pack>(from + j * from_stride + k, state);
#pragma unroll
        for (int i = 0; i < pack; ++i) sum[j] += weight[i] * state[i];
      }
    }
#pragma unroll
    for (int j = 0; j < tile; ++j) sums[j * rows + row] = sum[j];
  }
}

/// Runs the recurrence for `time` steps. A cell has `gates` and `states`; its first `direct` gates multiply R by
/// h. `Cell::advance(unit)` makes the new states. Where direct < gates, `Cell::reset(unit)` comes before it and
/// leaves in product(1) what the other gates multiply R by. What goes into an activation is clipped to
/// [-clip, clip]: infinity for no clipping. Direction d runs backwards if d == 1 or all_reverse. Past a
/// sequence's length y is 0 and the states stay. Math is in float.
/// Grid: (ceil(batch / tile), directions, 1).
/// Block: (threads, 1, 1) with any number of threads; gates * hidden up to 1024 keeps all busy.
/// tile: batch elements per block, which share each read of R. pack: divides hidden; at most 16 bytes.
/// Dynamic shared memory: tile * (states + gates) * hidden * 4 bytes.
template <class Cell, int tile, int pack, class T, class Weight>
BURNISH_DEVICE void recur(const RecurrentOperands<T, Weight>& p, i64 time, i64 batch, int hidden, float clip,
                          bool all_reverse) {
  extern __shared__ __align__(16) float recurrent_shared[];
  float* states = recurrent_shared;                     // [state][tile][hidden]
  float* sums = states + Cell::states * tile * hidden;  // [tile][rows]
  const int direction = blockIdx.y, rows = Cell::gates * hidden;
  const bool backwards = all_reverse || direction == 1;
  const Weight* weights = p.recurrent + i64(direction) * hidden * rows;
  const T* parameters = p.parameters ? p.parameters + direction * p.parameter_stride : nullptr;

  auto length_of = [&](i64 b) { return p.lengths ? least(i64(p.lengths[b]), time) : time; };
  auto time_of = [&](i64 b, i64 step) { return backwards ? length_of(b) - 1 - step : step; };
  auto for_each_unit = [&](auto f) {  // f(place in a state, sequence, unit)
    for (int e = threadIdx.x; e < tile * hidden; e += blockDim.x)
      if (const i64 b = i64(blockIdx.x) * tile + e / hidden; b < batch) f(e, b, e % hidden);
  };
  auto unit_of = [&](int e, i64 b, int unit, i64 t) {
    return RecurrentUnit<T>{p.gates + offset_of(dims(t, direction, b), p.gate_strides) + unit,
                            sums + e / hidden * rows + unit,
                            parameters ? parameters + unit : nullptr,
                            hidden,
                            clip,
                            states[e],
                            states[(Cell::states - 1) * tile * hidden + e]};
  };

  for (int e = threadIdx.x; e < Cell::states * tile * hidden; e += blockDim.x) states[e] = 0;
  __syncthreads();
  for_each_unit([&](int e, i64 b, int unit) {
#pragma unroll
    for (int s = 0; s < Cell::states; ++s)
      if (p.initial[s])
        states[s * tile * hidden + e] =
            float(load(p.initial[s] + offset_of(dims(direction, b), p.initial_strides[s]) + unit));
  });
  __syncthreads();
  for (i64 step = 0; step < time; ++step) {
    recurrent_product<tile, pack>(weights, states, hidden, sums, rows, hidden, 0, Cell::direct * hidden);
    __syncthreads();
    if constexpr (Cell::direct < Cell::gates) {
      for_each_unit([&](int e, i64 b, int unit) {
        if (step < length_of(b)) Cell::reset(unit_of(e, b, unit, time_of(b, step)));
      });
      __syncthreads();
      recurrent_product<tile, pack>(weights, sums + hidden, rows, sums, rows, hidden, Cell::direct * hidden,
                                    rows);
      __syncthreads();
    }
    for_each_unit([&](int e, i64 b, int unit) {
      const bool running = step < length_of(b);
      const i64 t = running ? time_of(b, step) : step;
      if (running) Cell::advance(unit_of(e, b, unit, t));
      if (p.y)
        store(p.y + offset_of(dims(t, direction, b), p.y_strides) + unit,
              compute<T>(running ? states[e] : 0.0f));
    });
    __syncthreads();
  }
  for_each_unit([&](int e, i64 b, int unit) {
#pragma unroll
    for (int s = 0; s < Cell::states; ++s)
      if (p.last[s])
        store(p.last[s] + offset_of(dims(direction, b), p.last_strides[s]) + unit,
              compute<T>(states[s * tile * hidden + e]));
  });
}

}  // namespace burnish
