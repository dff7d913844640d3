// Resize (and Upsample): nearest, linear and cubic interpolation, separable over any axes.
#pragma once

#include "base/primitives.cuh"
#include "providers/nvrtc/device/indexing.cuh"
#include "providers/nvrtc/device/team.cuh"

namespace burnish::resize_mode {

/// How a coordinate of y maps to one of x; ONNX's names.
enum Coordinate {
  half_pixel,
  half_pixel_symmetric,
  pytorch_half_pixel,
  align_corners,
  asymmetric,
  tf_half_pixel_for_nn,
  tf_crop_and_resize
};
enum Interpolation { nearest, linear, cubic };
enum Rounding { round_prefer_floor, round_prefer_ceil, floor, ceil };

}  // namespace burnish::resize_mode

namespace burnish {

/// One axis: extents, scale (y over x, as ONNX's `scales`) and the region of interest (tf_crop_and_resize
/// alone).
struct ResizeAxis {
  i64 x_extent, y_extent;
  float scale;
  float roi_start = 0, roi_end = 1;
  float length = 0;  ///< of y before it was rounded down to y_extent; 0: y_extent
};

/// What `scale` times x's extent really is, where that is not y's extent but for rounding errors.
BURNISH_DEVICE float resized_length(float scale, i64 x_extent, i64 y_extent) {
  const float length = scale * float(x_extent);
  return prim::abs(length - float(y_extent)) > 1e-3f ? length : float(y_extent);
}

namespace resize_detail {

using namespace resize_mode;

/// In float and in this order of operations, for the result is compared with integers and halves.
template <Coordinate mode>
BURNISH_DEVICE float source_coordinate(i64 at, const ResizeAxis& axis) {
  const float p = float(at), from = float(axis.x_extent);
  const float to = axis.length != 0 ? axis.length : float(axis.y_extent);
  if constexpr (mode == half_pixel) return (p + 0.5f) / axis.scale - 0.5f;
  else if constexpr (mode == half_pixel_symmetric) {
    const float adjustment = float(axis.y_extent) / (axis.scale * from), centre = from / 2;
    return centre * (1 - adjustment) + (p + 0.5f) / axis.scale - 0.5f;
  } else if constexpr (mode == pytorch_half_pixel) return to != 1 ? (p + 0.5f) / axis.scale - 0.5f : 0.0f;
  else if constexpr (mode == align_corners) return to != 1 ? p * (from - 1) / (to - 1) : 0.0f;
  else if constexpr (mode == asymmetric) return p / axis.scale;
  else if constexpr (mode == tf_half_pixel_for_nn) return (p + 0.5f) / axis.scale;
  else if (to != 1)
    return axis.roi_start * (from - 1) + p * (axis.roi_end - axis.roi_start) * (from - 1) / (to - 1);
  else return 0.5f * (axis.roi_start + axis.roi_end) * (from - 1);
}

template <Rounding rounding>
BURNISH_DEVICE float rounded(float x) {
  const float low = prim::floor(x);
  if constexpr (rounding == floor) return low;
  else if constexpr (rounding == ceil) return prim::ceil(x);
  else if constexpr (rounding == round_prefer_floor) return x - low > 0.5f ? low + 1 : low;
  else return x - low >= 0.5f ? low + 1 : low;
}

/// The elements of x that one coordinate of y depends on, along one axis.
template <int count>
struct Taps {
  i64 index[count];
  float weight[count];
  bool outside;  ///< beyond x; tf_crop_and_resize extrapolates there
};

BURNISH_DEVICE i64 clamped(i64 i, i64 extent) { return i < 0 ? 0 : i >= extent ? extent - 1 : i; }

template <Interpolation interpolation, Coordinate mode, Rounding rounding, int count>
BURNISH_DEVICE Taps<count> taps_of(i64 at, const ResizeAxis& axis, float cubic_a, bool exclude_outside) {
  Taps<count> taps;
  const float x = source_coordinate<mode>(at, axis);
  taps.outside = mode == tf_crop_and_resize && (x < 0 || x > float(axis.x_extent - 1));
  if constexpr (interpolation == nearest) {
    taps.index[0] = clamped(i64(rounded<rounding>(x)), axis.x_extent);
    taps.weight[0] = 1;
    return taps;
  }
  const float low = prim::floor(x), t = x - low;
  if constexpr (interpolation == linear) {
    taps.weight[0] = 1 - t;
    taps.weight[1] = t;
  } else if constexpr (interpolation == cubic) {  // Keys: Cubic convolution interpolation, 1981
    const float a = cubic_a, u = 1 - t;
    taps.weight[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
    taps.weight[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
    taps.weight[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
    taps.weight[3] = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a;
  }
  float sum = 0;
#pragma unroll
  for (int i = 0; i < count; ++i) {
    const i64 index = i64(low) + i - (count / 2 - 1);
    taps.index[i] = clamped(index, axis.x_extent);
    if (exclude_outside && taps.index[i] != index) taps.weight[i] = 0;
    sum += taps.weight[i];
  }
  if (exclude_outside)
#pragma unroll
    for (int i = 0; i < count; ++i) taps.weight[i] /= sum;
  return taps;
}

/// Sum over the taps of axes `axis` and up; innermost axis summed first.
template <int axis, int axes, int count, class T>
BURNISH_DEVICE float interpolate(const T* x, i64 offset, const Taps<count> (&taps)[axes],
                                 const Dims<axes>& strides) {
  if constexpr (axis == axes) return float(load(x + offset));
  else {
    float sum = 0;
#pragma unroll
    for (int i = 0; i < count; ++i)
      sum += taps[axis].weight[i] *
             interpolate<axis + 1, axes>(x, offset + taps[axis].index[i] * strides.at[axis], taps, strides);
    return sum;
  }
}

}  // namespace resize_detail

/// y at every point, epilogue(value, offset in y) applied. The tensors are seen as [plain axes…, resized
/// axes…] in that order, whatever their order in memory: `extents` of the plain axes, which both share, with
/// strides, then the `axes` ≥ 1 resized ones. Order axes so that the last one lies closest in memory where
/// that is possible.
/// plain_fastest: neighbouring threads take neighbours along the last plain axis, not the last resized one.
/// cubic_a, exclude_outside, extrapolation: ONNX attributes (exclude_outside matters to cubic only).
/// Interpolation happens in float; integers are truncated; nearest copies elements as they are, bit by bit, so that a word
/// (WordOf) may stand for several of them, extents and strides then being in such words. x must not be
/// empty when y is not.
/// Index int: y has fewer than 2^31 elements.
/// Grid: any, one thread per element of y covers all at once.
template <resize_mode::Interpolation interpolation, resize_mode::Coordinate mode,
          resize_mode::Rounding rounding, bool plain_fastest = false, class T, int plain, int axes,
          class Index, class Epilogue = Unchanged>
BURNISH_DEVICE void resize(const T* x, T* y, const Dims<plain, Index>& extents,
                           const Dims<plain>& x_plain_strides, const Dims<plain>& y_plain_strides,
                           const ResizeAxis (&resized)[axes], const Dims<axes>& x_strides,
                           const Dims<axes>& y_strides, float cubic_a = -0.75f, bool exclude_outside = false,
                           float extrapolation = 0, Epilogue epilogue = {}) {
  using namespace resize_detail;
  constexpr int count = interpolation == nearest ? 1 : interpolation == linear ? 2 : 4;
  constexpr int first_plain = plain_fastest ? axes : 0, first_resized = plain_fastest ? 0 : plain;
  Dims<plain + axes, Index> all;
#pragma unroll
  for (int i = 0; i < plain; ++i) all.at[first_plain + i] = extents.at[i];
#pragma unroll
  for (int i = 0; i < axes; ++i) all.at[first_resized + i] = Index(resized[i].y_extent);
  const Index total = count_of(all);
  for (i64 linear_index = grid_first<i64>(); linear_index < total; linear_index += grid_step<i64>()) {
    const Dims<plain + axes, Index> at = decompose(Index(linear_index), all);
    i64 from = 0, to = 0;
#pragma unroll
    for (int i = 0; i < plain; ++i) {
      from += i64(at.at[first_plain + i]) * x_plain_strides.at[i];
      to += i64(at.at[first_plain + i]) * y_plain_strides.at[i];
    }
    Taps<count> taps[axes];
    bool outside = false;
#pragma unroll
    for (int i = 0; i < axes; ++i) {
      taps[i] = taps_of<interpolation, mode, rounding, count>(i64(at.at[first_resized + i]), resized[i],
                                                              cubic_a, exclude_outside);
      outside = outside || taps[i].outside;
      to += i64(at.at[first_resized + i]) * y_strides.at[i];
    }
    if constexpr (interpolation == nearest && mode != tf_crop_and_resize && is_same<Epilogue, Unchanged>) {
#pragma unroll
      for (int i = 0; i < axes; ++i) from += taps[i].index[0] * x_strides.at[i];
      y[to] = x[from];
      continue;
    }
    compute<T> value;
    if (outside) value = prim::cast<compute<T>>(extrapolation);
    else if constexpr (interpolation == nearest) {
#pragma unroll
      for (int i = 0; i < axes; ++i) from += taps[i].index[0] * x_strides.at[i];
      value = load(x + from);
    } else {
      value = prim::cast<compute<T>>(interpolate<0, axes>(x, from, taps, x_strides));
    }
    store(y + to, compute<T>(epilogue(value, to)));
  }
}

}  // namespace burnish
