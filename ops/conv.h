#pragma once

#include "ir/op.h"

namespace burnish {

/// x [N, C, D1, …] with w [M, C / group, K1, …]; see ops/window.h. The window's extents are those of w.
struct ConvAttrs {
  std::vector<int64_t> strides, dilations, pads;
  std::string auto_pad = "NOTSET";
  int64_t group = 1;
  BURNISH_REFLECT(ConvAttrs, strides, dilations, pads, auto_pad, group)
};

/// Extents of the window, which must be known when the engine is built.
inline Result<std::vector<int64_t>> kernel_extents(InferCtx& c, size_t weight) {
  std::vector<int64_t> kernel;
  for (size_t i = 2; i < c.shape(weight).size(); ++i) {
    const auto extent = c.dims.value(c.shape(weight)[i]);
    if (!extent)
      return Error(Code::unsupported,
                   describe(c.node) +
                       ": the extents of the window must be known when the engine is built, "
                       "the weights have shape " +
                       c.dims.text(c.shape(weight)))
          .remedy("fix the extents they are computed from with --shapes");
    kernel.push_back(*extent);
  }
  return kernel;
}

}  // namespace burnish
