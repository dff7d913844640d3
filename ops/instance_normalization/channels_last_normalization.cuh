// Instance and group normalization of channels-last tensors, whose rows are many and short: the positions of an image are
// spread over blocks, and each block walks over whole positions.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/team.cuh"

namespace burnish {

/// What normalization has to know of a set of numbers.
struct Moments {
  float count = 0, mean = 0, squares = 0;  ///< squares: the sum of the squared differences to the mean
};

/// Those of two sets together. Chan, Golub, LeVeque: Updating formulae and a pairwise algorithm, 1979.
BURNISH_DEVICE Moments joined(const Moments& a, const Moments& b) {
  const float count = a.count + b.count;
  if (count == 0) return a;
  const float share = b.count / count, apart = b.mean - a.mean;
  return {count, a.mean + apart * share, a.squares + b.squares + apart * apart * a.count * share};
}

/// x: images of `positions` positions, `Channels` channels side by side. `slabs` blocks of Threads threads share an image;
/// a thread reads V channels at a time, 16 bytes of them: x and its strides are multiples of that.
template <int Channels, int Groups, int V, int Threads>
struct ChannelsLast {
  static constexpr int channels = Channels, groups = Groups, members = Channels / Groups;
  static constexpr int parts = Channels / V, width = parts < Threads ? parts : Threads,
                       rows = Threads / width;
  static_assert(Channels % V == 0 && Channels % Groups == 0 && Threads % 32 == 0);
  static constexpr int shared_bytes = rows * Channels * int(sizeof(float2));  ///< of `group_moments`
  using Lanes = Team<8>;                                                      ///< join the moments of a group

  int image, first, end, row, lane;
  BURNISH_DEVICE ChannelsLast(int positions, int slabs)
      : image(blockIdx.x / slabs), row(threadIdx.x / width), lane(threadIdx.x % width) {
    const int each = ceil_div(positions, slabs);
    first = least(int(blockIdx.x % slabs) * each, positions);
    end = least(first + each, positions);
  }
  /// Positions that the threads of a row walk: first + row, and every `rows`-th from there on.
  BURNISH_DEVICE int count(int of_row) const {
    return end - first > of_row ? (end - first - of_row + rows - 1) / rows : 0;
  }
  template <class F>
  BURNISH_DEVICE void each_group(F f) const {
    for (int group = threadIdx.x / 8; group < groups; group += Threads / 8) f(group);
  }
  static BURNISH_DEVICE Moments together(const Moments& mine) {
    return Lanes::reduce(mine, [](const Moments& a, const Moments& b) { return joined(a, b); });
  }
};

/// moments[block][group]: those of the block's part of an image. Grid: images * slabs; dynamic shared memory: shared_bytes.
template <class Frame, int V, class T>
BURNISH_DEVICE void group_moments(const Frame& frame, const T* x, i64 stride_image, i64 stride_position,
                                  float* moments) {
  extern __shared__ float2 of_channels[];  // [row][channel]: mean and squares
  for (int part = frame.lane; part < Frame::parts && frame.row < Frame::rows; part += Frame::width) {
    const T* from = x + frame.image * stride_image + part * V;
    const int count = frame.count(frame.row);
    // Differences to the first value: it is one of those summed up, so it cannot lie far from them.
    float origin[V] = {}, sum[V] = {}, squares[V] = {};
    if (count > 0) load_vector<T, V>(from + (frame.first + frame.row) * stride_position, origin);
#pragma unroll 4
    for (int p = frame.first + frame.row; p < frame.end; p += Frame::rows) {
      float v[V];
      load_vector<T, V>(from + p * stride_position, v);
#pragma unroll
      for (int i = 0; i < V; ++i) {
        const float apart = v[i] - origin[i];
        sum[i] += apart;
        squares[i] += apart * apart;
      }
    }
#pragma unroll
    for (int i = 0; i < V; ++i) {
      const float mean = count > 0 ? sum[i] / float(count) : 0;
      of_channels[frame.row * Frame::channels + part * V + i] = {origin[i] + mean,
                                                                 squares[i] - sum[i] * mean};
    }
  }
  __syncthreads();
  frame.each_group([&](int group) {
    Moments all;
    for (int k = Frame::Lanes::lane(); k < Frame::rows * Frame::members; k += 8) {
      const int row = k / Frame::members, channel = group * Frame::members + k % Frame::members;
      const float2 one = of_channels[row * Frame::channels + channel];
      all = joined(all, {float(frame.count(row)), one.x, one.y});
    }
    all = Frame::together(all);
    if (Frame::Lanes::lane() != 0) return;
    float* to = moments + (i64(blockIdx.x) * Frame::groups + group) * 3;
    to[0] = all.count, to[1] = all.mean, to[2] = all.squares;
  });
}

/// epilogue(position number image * positions + p, first channel, V results, V), a result being (x - mean) / sqrt(variance +
/// epsilon) * scale + bias by group. `moments` are those of `group_moments` under the same grid; scale and bias: one per
/// channel with their strides.
template <class Frame, int V, class T, class S, class Epilogue>
BURNISH_DEVICE void group_normalize(const Frame& frame, const T* x, i64 stride_image, i64 stride_position,
                                    int positions, int slabs, const float* moments, const S* scale,
                                    i64 scale_stride, const S* bias, i64 bias_stride, float epsilon,
                                    const Epilogue& epilogue) {
  __shared__ float2 of_groups[Frame::groups];  // mean, 1 / deviation
  frame.each_group([&](int group) {
    Moments all;
    for (int slab = Frame::Lanes::lane(); slab < slabs; slab += 8) {
      const float* from = moments + (i64(frame.image) * slabs + slab) * Frame::groups * 3 + group * 3;
      all = joined(all, {from[0], from[1], from[2]});
    }
    all = Frame::together(all);
    if (Frame::Lanes::lane() == 0)
      of_groups[group] = {all.mean, 1 / prim::sqrt(all.squares / all.count + epsilon)};
  });
  __syncthreads();
  for (int part = frame.lane; part < Frame::parts && frame.row < Frame::rows; part += Frame::width) {
    const T* from = x + frame.image * stride_image + part * V;
    float mean[V], factor[V], shift[V];
#pragma unroll
    for (int i = 0; i < V; ++i) {
      const int channel = part * V + i;
      const float2 group = of_groups[channel / Frame::members];
      mean[i] = group.x;
      factor[i] = group.y * float(load(scale + channel * scale_stride));
      shift[i] = float(load(bias + channel * bias_stride));
    }
#pragma unroll 4
    for (int p = frame.first + frame.row; p < frame.end; p += Frame::rows) {
      float v[V];
      load_vector<T, V>(from + p * stride_position, v);
#pragma unroll
      for (int i = 0; i < V; ++i) v[i] = (v[i] - mean[i]) * factor[i] + shift[i];
      epilogue(frame.image * positions + p, part * V, v, V);
    }
  }
}

}  // namespace burnish
