// Sliding windows over the spatial axes of [batch, channels, spatial…] tensors: the frame of the pooling
// kernels.
#pragma once

#include "providers/nvrtc/device/indexing.cuh"

namespace burnish {

/// Per spatial axis: window extent, step between windows, padding before the data, step within the window.
template <int spatial>
struct Window {
  Dims<spatial, int> kernel, stride, pad, dilation;
};

/// One output position: batch and first channel of `vector` neighbouring ones, spatial coordinates.
template <int spatial>
struct WindowPosition {
  i64 batch, channel;
  Dims<spatial, int> at;
};

/// Position number `linear` with neighbouring threads on neighbouring elements of memory: channels run
/// fastest if channels_last, else the last spatial axis. channel_groups = channels / vector.
template <bool channels_last, int vector, int spatial, class Index>
BURNISH_DEVICE WindowPosition<spatial> window_position(Index linear, i64 channel_groups,
                                                       const Dims<spatial, Index>& y_extents) {
  using Unsigned = typename UnsignedIndex<Index>::type;
  WindowPosition<spatial> p;
  Unsigned rest = Unsigned(linear);
  const Unsigned groups = Unsigned(channel_groups), points = Unsigned(count_of(y_extents));
  Unsigned point;
  if constexpr (channels_last) {
    p.channel = i64(rest % groups) * vector;
    rest /= groups;
    point = rest % points;
    p.batch = i64(rest / points);
  } else {
    point = rest % points;
    rest /= points;
    p.channel = i64(rest % groups) * vector;
    p.batch = i64(rest / groups);
  }
  const Dims<spatial, Index> at = decompose(Index(point), y_extents);
#pragma unroll
  for (int axis = 0; axis < spatial; ++axis) p.at.at[axis] = int(at.at[axis]);
  return p;
}

/// First tap of an axis that lies inside [0, extent), and one past the last.
struct TapRange {
  int first, end;
};
BURNISH_DEVICE TapRange taps_inside(int start, int dilation, int kernel, i64 extent) {
  const int first = start < 0 ? ceil_div(-start, dilation) : 0;
  const i64 room = extent - start;  // taps t with t * dilation < room
  const i64 end = room <= 0 ? 0 : (room + dilation - 1) / dilation;
  return {least(first, kernel), int(least<i64>(end, kernel))};
}

/// Calls f(spatial coordinates) for every tap of the window at `at` that lies inside x, in row-major order.
template <int spatial, class Index, class F>
BURNISH_DEVICE void each_tap(const Window<spatial>& w, const Dims<spatial, int>& at,
                             const Dims<spatial, Index>& x_extents, F f) {
  static_assert(spatial >= 1 && spatial <= 3);
  Dims<3, int> start{}, dilation = dims<int>(1, 1, 1);
  TapRange range[3] = {{0, 1}, {0, 1}, {0, 1}};
#pragma unroll
  for (int axis = 0; axis < spatial; ++axis) {
    const int to = axis + 3 - spatial;
    start.at[to] = at.at[axis] * w.stride.at[axis] - w.pad.at[axis];
    dilation.at[to] = w.dilation.at[axis];
    range[to] = taps_inside(start.at[to], w.dilation.at[axis], w.kernel.at[axis], x_extents.at[axis]);
  }
  for (int a = range[0].first; a < range[0].end; ++a)
    for (int b = range[1].first; b < range[1].end; ++b)
      for (int c = range[2].first; c < range[2].end; ++c) {
        const int tap[3] = {a, b, c};
        Dims<spatial, int> where;
#pragma unroll
        for (int axis = 0; axis < spatial; ++axis) {
          const int to = axis + 3 - spatial;
          where.at[axis] = start.at[to] + tap[to] * dilation.at[to];
        }
        f(where);
      }
}

/// Offset of the spatial coordinates, batch and channel in a tensor with strides [batch, channel, spatial…].
template <int spatial, int rank>
BURNISH_DEVICE i64 window_offset(i64 batch, i64 channel, const Dims<spatial, int>& at,
                                 const Dims<rank>& strides) {
  static_assert(rank == spatial + 2);
  i64 offset = batch * strides.at[0] + channel * strides.at[1];
#pragma unroll
  for (int axis = 0; axis < spatial; ++axis) offset += i64(at.at[axis]) * strides.at[axis + 2];
  return offset;
}

}  // namespace burnish
