// GridSample: which elements of x a point of the grid reads along one axis, alike on host and device.
#pragma once

#include "base/primitives.cuh"

#ifdef __CUDACC__
#define BURNISH_BOTH __device__ __forceinline__
#else
#define BURNISH_BOTH inline
#endif

namespace burnish {

/// What is read beyond x: zeros, its border, or x as in a mirror.
enum class GridPadding { zeros, border, reflection };

/// `count` elements and their weights: 1 nearest, 2 linear, 4 cubic.
template <int count>
struct GridTaps {
  long long index[count];  ///< negative: a zero
  float weight[count];
};

namespace grid_detail {

/// Where x is after being thrown back from both ends as often as it takes.
BURNISH_BOTH float reflected(float x, float low, float high) {
  const float range = high - low;
  if (!(range > 0)) return low;
  if (x >= low && x <= high) return x;
  const bool below = x < low;
  const float distance = below ? low - x : x - high;
  const long long turns = (long long)(distance / range);
  const float rest = distance - float(turns) * range;
  return below == (turns % 2 == 0) ? low + rest : high - rest;
}

/// From [-1, 1] to elements. A grid may hold anything; what comes of it fits an integer.
BURNISH_BOTH float coordinate(float at, long long extent, bool align_corners) {
  const float x = align_corners ? (at + 1) / 2 * float(extent - 1) : ((at + 1) * float(extent) - 1) / 2;
  return x > -1e9f ? x < 1e9f ? x : 1e9f : -1e9f;
}

BURNISH_BOTH long long element(long long i, long long extent, GridPadding padding, float low, float high) {
  if (padding == GridPadding::border) i = i < 0 ? 0 : i < extent ? i : extent - 1;
  if (padding == GridPadding::reflection) i = (long long)reflected(float(i), low, high);
  return i >= 0 && i < extent ? i : -1;
}

/// Keys: Cubic convolution interpolation, 1981, with a = -3/4.
BURNISH_BOTH void weigh(float t, float (&weight)[4]) {
  const float a = -0.75f, u = 1 - t;
  weight[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
  weight[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
  weight[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
  weight[3] = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a;
}
BURNISH_BOTH void weigh(float t, float (&weight)[2]) { weight[0] = 1 - t, weight[1] = t; }
BURNISH_BOTH void weigh(float, float (&weight)[1]) { weight[0] = 1; }

}  // namespace grid_detail

/// `at`: the grid's element for an axis of `extent`.
template <int count>
BURNISH_BOTH GridTaps<count> grid_taps(float at, long long extent, GridPadding padding, bool align_corners) {
  using namespace grid_detail;
  const float low = align_corners ? 0.0f : -0.5f, high = float(extent - 1) - low;
  float x = coordinate(at, extent, align_corners);
  if (count == 1) x = prim::round(x);
  const float first = prim::floor(x);
  GridTaps<count> taps;
  weigh(x - first, taps.weight);
  for (int i = 0; i < count; ++i)
    taps.index[i] = element((long long)first + i - (count == 4 ? 1 : 0), extent, padding, low, high);
  return taps;
}

}  // namespace burnish

#undef BURNISH_BOTH
