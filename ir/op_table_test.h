#pragma once

#include <string>
#include <vector>

#include "ir/attrs.h"

namespace burnish::testing {

/// One attribute of each kind: of the op Everything.
struct EverythingAttrs {
  int64_t axis = -1;
  float epsilon = 1e-5f;
  bool keep = false;
  std::string mode = "linear";
  DType to = DType::f32;
  std::vector<int64_t> pads;
  std::vector<float> scales;
  std::vector<std::string> names;
  std::vector<Dim> extents;
  BURNISH_REFLECT(EverythingAttrs, axis, epsilon, keep, mode, to, pads, scales, names, extents)
};

}  // namespace burnish::testing
