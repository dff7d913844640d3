#pragma once

#include "ir/op.h"

namespace burnish {

/// Operands x, roi, scales, sizes; all but x may be left out, one of scales and sizes is there. With sizes
/// they give the
/// result's extents and scales (where present) only the coordinates; without, the extents are floor(extent *
/// scale).
struct ResizeAttrs {
  std::string mode = "nearest";  // nearest, linear, cubic
  std::string coordinate_transformation_mode = "half_pixel";
  std::string nearest_mode = "round_prefer_floor";  // also "simple", opset 10's: up when shrinking, else down
  float cubic_coeff_a = -0.75f;
  bool exclude_outside = false;
  float extrapolation_value = 0;
  bool antialias = false;
  std::vector<int64_t> axes;  // that roi, scales and sizes speak of; none: all
  std::string keep_aspect_ratio_policy = "stretch";
  BURNISH_REFLECT(ResizeAttrs, mode, coordinate_transformation_mode, nearest_mode, cubic_coeff_a,
                  exclude_outside, extrapolation_value, antialias, axes, keep_aspect_ratio_policy)
};

}  // namespace burnish
