#pragma once

#include "ir/op.h"

namespace burnish {

/// x [N, C, D1, …] with w [C, M / group, K1, …]: the transpose of Conv. `output_shape` (spatial extents; empty: they follow
/// from the padding) stays only where an input extent is symbolic; then the padding follows from it, the odd element at the
/// end with auto_pad SAME_UPPER, else at the beginning, and `pads` is ignored.
struct ConvTransposeAttrs {
  std::vector<int64_t> strides, dilations, pads, output_padding, output_shape;
  std::string auto_pad = "NOTSET";
  int64_t group = 1;
  BURNISH_REFLECT(ConvTransposeAttrs, strides, dilations, pads, output_padding, output_shape, auto_pad, group)
};

/// Leading padding when `all` elements of padding are to be spread. Negative `all` means rows of bias at the end.
inline int64_t leading_share(int64_t all, bool upper) {
  return all <= 0 ? 0 : upper ? all / 2 : all - all / 2;
}

}  // namespace burnish
