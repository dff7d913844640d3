#pragma once

#include <algorithm>
#include <array>

#include "ir/op.h"

namespace burnish {

/// Sliding windows over the spatial axes of [N, C, D1, …]: what convolutions and pools share. Attribute structs with the
/// fields strides, dilations, pads (begins, then ends) and auto_pad ("NOTSET", "SAME_UPPER" or "SAME_LOWER" once inferred;
/// SAME stays only where an extent is symbolic, and then `pads` is ignored) work with everything here.

/// Extents that the windows' positions have along one axis.
inline Dim window_extent(DimTable& dims, Dim in, int64_t span, int64_t stride, int64_t pad_begin,
                         int64_t pad_end, bool ceil_mode) {
  const Dim room = dims.add(in, dims.constant(pad_begin + pad_end - span)), step = dims.constant(stride);
  const Dim one = dims.constant(1);
  if (!ceil_mode) return dims.add(dims.floor_div(room, step), one);
  // The last window must start inside the input or its leading padding.
  return dims.min(dims.add(dims.ceil_div(room, step), one),
                  dims.ceil_div(dims.add(in, dims.constant(pad_begin)), step));
}

/// Leading and trailing padding of SAME for one axis of known extent.
inline std::array<int64_t, 2> same_pads(int64_t in, int64_t span, int64_t stride, bool upper) {
  const int64_t positions = (in + stride - 1) / stride,
                all = std::max<int64_t>((positions - 1) * stride + span - in, 0);
  const int64_t less = all / 2, more = all - less;
  return upper ? std::array{less, more} : std::array{more, less};
}

/// Fills in the attributes left at their ONNX defaults and checks the rest; `kernel` has one extent per spatial axis.
template <class A>
Result<> complete_window(InferCtx& c, A& a, std::span<const int64_t> kernel) {
  const size_t n = kernel.size();
  if (n + 2 != c.shape(0).size() || n < 1 || n > 3)
    return c.error("an input of shape " + c.dims.text(c.shape(0)) + " does not go with a window over " +
                   std::to_string(n) + " axes; batch, channels and 1 to 3 spatial axes are expected");
  if (a.strides.empty()) a.strides.assign(n, 1);
  if (a.dilations.empty()) a.dilations.assign(n, 1);
  if (a.auto_pad != "NOTSET") a.pads.clear();
  if (a.pads.empty()) a.pads.assign(2 * n, 0);
  if (a.auto_pad == "VALID" || a.auto_pad.empty()) a.auto_pad = "NOTSET";
  if (a.auto_pad != "NOTSET" && a.auto_pad != "SAME_UPPER" && a.auto_pad != "SAME_LOWER")
    return c.error("auto_pad '" + a.auto_pad + "' is none of NOTSET, VALID, SAME_UPPER, SAME_LOWER");
  auto check = [&](const char* name, std::span<const int64_t> values, size_t count,
                   int64_t least) -> Result<> {
    if (values.size() != count)
      return c.error(std::string(name) + " must have " + std::to_string(count) + " elements, got " +
                     std::to_string(values.size()));
    for (int64_t v : values)
      if (v < least)
        return c.error(std::string(name) + " must not be below " + std::to_string(least) + ", got " +
                       std::to_string(v));
    return {};
  };
  TRY(check("kernel_shape", kernel, n, 1));
  TRY(check("strides", a.strides, n, 1));
  TRY(check("dilations", a.dilations, n, 1));
  return check("pads", a.pads, 2 * n, 0);
}

/// The spatial extents of the result; makes the attributes explicit in the node.
template <class A>
Result<std::vector<Dim>> infer_window(InferCtx& c, A a, std::span<const int64_t> kernel, bool ceil_mode) {
  TRY(complete_window(c, a, kernel));
  const size_t n = kernel.size();
  const bool same = a.auto_pad != "NOTSET";
  std::vector<Dim> extents;
  bool known = true;
  for (size_t i = 0; i < n; ++i) {
    const Dim in = c.shape(0)[i + 2];
    const int64_t span = (kernel[i] - 1) * a.dilations[i] + 1, stride = a.strides[i];
    if (same) {
      extents.push_back(c.dims.ceil_div(in, c.dims.constant(stride)));
      if (auto extent = c.dims.value(in)) {
        const auto [begin, end] = same_pads(*extent, span, stride, a.auto_pad == "SAME_UPPER");
        a.pads[i] = begin;
        a.pads[n + i] = end;
      } else {
        known = false;
      }
    } else {
      extents.push_back(window_extent(c.dims, in, span, stride, a.pads[i], a.pads[n + i], ceil_mode));
    }
    if (c.dims.range(extents.back()).hi <= 0 && c.dims.range(in).lo > 0)
      return c.error("a window of " + std::to_string(span) + " does not fit into axis " +
                     std::to_string(i + 2) + " of extent " + c.dims.text(in) + " with padding " +
                     std::to_string(a.pads[i]) + " and " + std::to_string(a.pads[n + i]));
  }
  if (same && known) a.auto_pad = "NOTSET";
  if (same && !known) a.pads.assign(2 * n, 0);
  c.node.attrs = a;
  return extents;
}

/// One spatial axis in numbers.
struct WindowAxis {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0, pad_end = 0;
  /// Where tap t of window o reads; may be outside [0, in).
  int64_t at(int64_t o, int64_t t) const { return o * stride - pad + t * dilation; }
  /// The windows [first, last) whose tap t reads inside the input.
  std::array<int64_t, 2> inside(int64_t t) const {
    const int64_t shift = t * dilation - pad;  // reads o * stride + shift
    const int64_t first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
    const int64_t last = in - shift <= 0 ? 0 : (in - shift + stride - 1) / stride;
    return {std::min(first, out), std::clamp(last, std::min(first, out), out)};
  }
};

/// Three axes, outer ones with defaults where there are fewer: one loop nest serves all ranks.
using Window = std::array<WindowAxis, 3>;

template <class A>
Window window_of(const A& a, const Shape& in, const Shape& out, std::span<const int64_t> kernel) {
  Window window;
  const size_t n = kernel.size();
  for (size_t i = 0; i < n; ++i) {
    WindowAxis& axis = window[3 - n + i];
    axis = {in[i + 2], out[i + 2], kernel[i], a.strides[i], a.dilations[i], a.pads[i], a.pads[n + i]};
    if (a.auto_pad != "NOTSET") {
      const auto [begin, end] =
          same_pads(axis.in, (axis.kernel - 1) * axis.dilation + 1, axis.stride, a.auto_pad == "SAME_UPPER");
      axis.pad = begin;
      axis.pad_end = end;
    }
  }
  return window;
}

inline int64_t in_count(const Window& w) { return w[0].in * w[1].in * w[2].in; }
inline int64_t out_count(const Window& w) { return w[0].out * w[1].out * w[2].out; }
inline int64_t tap_count(const Window& w) { return w[0].kernel * w[1].kernel * w[2].kernel; }

}  // namespace burnish
