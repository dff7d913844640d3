#pragma once

#include <algorithm>
#include <cmath>

#include "ops/resize/resize.h"

namespace burnish {

/// One axis of a Resize in numbers.
struct ResizeAxis {
  int64_t in, out;
  float scale;
  float length;  // of the result before it was rounded to `out`
  float roi_begin = 0, roi_end = 1;
};

/// For each position of the result along one axis: what it reads, with which weights.
struct AxisTable {
  int64_t taps = 1;
  std::vector<int64_t> index;  // [out][taps]
  std::vector<float> weight;   // [out][taps]
  std::vector<bool> outside;   // [out]; takes the extrapolation value
  bool identity = true;
};

/// Where position `at` of the result lies in the input; formulas of the ONNX specification.
inline float source_position(const ResizeAttrs& a, const ResizeAxis& x, int64_t at) {
  const auto i = static_cast<float>(at), in = static_cast<float>(x.in);
  const std::string& mode = a.coordinate_transformation_mode;
  if (mode == "asymmetric") return i / x.scale;
  if (mode == "align_corners") return x.length == 1 ? 0 : i * (in - 1) / (x.length - 1);
  if (mode == "pytorch_half_pixel") return x.length == 1 ? -0.5f : (i + 0.5f) / x.scale - 0.5f;
  if (mode == "tf_half_pixel_for_nn") return (i + 0.5f) / x.scale;
  if (mode == "half_pixel_symmetric")
    return in / 2 * (1 - static_cast<float>(x.out) / x.length) + (i + 0.5f) / x.scale - 0.5f;
  if (mode == "tf_crop_and_resize")
    return x.length == 1 ? 0.5f * (x.roi_begin + x.roi_end) * (in - 1)
                         : x.roi_begin * (in - 1) + i * (x.roi_end - x.roi_begin) * (in - 1) / (x.length - 1);
  return (i + 0.5f) / x.scale - 0.5f;
}

inline int64_t nearest_index(const ResizeAttrs& a, const ResizeAxis& x, float at) {
  if (a.nearest_mode == "floor") return static_cast<int64_t>(std::floor(at));
  if (a.nearest_mode == "ceil") return static_cast<int64_t>(std::ceil(at));
  if (a.nearest_mode == "simple") return static_cast<int64_t>(x.scale < 1 ? std::ceil(at) : std::floor(at));
  if (a.nearest_mode == "round_prefer_ceil") return static_cast<int64_t>(std::floor(at + 0.5f));
  return static_cast<int64_t>(std::ceil(at - 0.5f));
}

/// The interpolation kernel at distance `x`.
inline float resize_kernel(const ResizeAttrs& attrs, float x) {
  x = std::abs(x);
  if (attrs.mode == "linear") return std::max(0.0f, 1 - x);
  const float a = attrs.cubic_coeff_a;
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

inline AxisTable axis_table(const ResizeAttrs& a, const ResizeAxis& x) {
  AxisTable table;
  const bool nearest = a.mode == "nearest";
  // Shrinking with antialias stretches the kernel over all that one result element covers.
  const float stretch = a.antialias ? std::min(x.scale, 1.0f) : 1.0f,
              radius = a.mode == "cubic" ? 2.0f : 1.0f;
  const int64_t first = nearest ? 0 : static_cast<int64_t>(std::floor(-radius / stretch)) + 1;
  table.taps = nearest ? 1 : 2 - 2 * first;
  for (int64_t o = 0; o < x.out; ++o) {
    const float at = source_position(a, x, o);
    table.outside.push_back(a.coordinate_transformation_mode == "tf_crop_and_resize" &&
                            (at < 0 || at > static_cast<float>(x.in - 1)));
    const int64_t base = nearest ? nearest_index(a, x, at) : static_cast<int64_t>(std::floor(at));
    float sum = 0;
    for (int64_t t = 0; t < table.taps; ++t) {
      const int64_t index = base + first + t;
      float weight = nearest ? 1 : resize_kernel(a, (static_cast<float>(index) - at) * stretch);
      if (a.exclude_outside && !nearest && (index < 0 || index >= x.in)) weight = 0;
      sum += weight;
      table.index.push_back(std::clamp<int64_t>(index, 0, x.in - 1));
      table.weight.push_back(weight);
      table.identity = table.identity && (weight == 0 || (weight == 1 && table.index.back() == o));
    }
    if (a.exclude_outside || a.antialias)
      for (int64_t t = 0; t < table.taps; ++t)
        table.weight[table.weight.size() - 1 - static_cast<size_t>(t)] /= sum;
    table.identity = table.identity && !table.outside.back();
  }
  table.identity = table.identity && x.in == x.out;
  return table;
}

}  // namespace burnish
