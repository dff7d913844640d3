#pragma once

#include "ir/device_text.h"
#include "ir/element.h"

namespace burnish {

/// One spatial axis of a convolution on a device.
struct KernelAxis {
  Dim in, out;
  int64_t kernel = 1, stride = 1, pad = 0, dilation = 1;  // `pad`: the leading one
  int64_t pad_end = 0;
  Dim in_stride, out_stride;
};

/// A convolution or a transposed one over at most two spatial axes, as a contraction.
struct ConvForm {
  bool transposed = false;
  int64_t group = 1;
  KernelAxis h, w;
  bool planar = true;  // two spatial axes; else `h` is a stand-in
};

/// The axes of x, w and the result, for one or two spatial axes.
template <class A>
Verdict conv_form(KernelCtx& ctx, const A& attrs, std::span<const int64_t> pads, ConvForm& form) {
  DimTable& dims = ctx.dims;
  const std::vector<Dim>&x = ctx.in(0).shape, &y = ctx.out(0).shape;
  const size_t n = x.size() - 2;
  if (n > 2) return Verdict::no("no device kernel for convolutions over three axes");
  form.group = attrs.group;
  form.planar = n == 2;
  form.h = {dims.constant(1), dims.constant(1), 1, 1, 0, 1, 0, dims.constant(0), dims.constant(0)};
  for (size_t i = 0; i < n; ++i) {
    KernelAxis& axis = n == 2 && i == 0 ? form.h : form.w;
    axis = {x[i + 2],
            y[i + 2],
            *dims.value(ctx.in(1).shape[i + 2]),
            attrs.strides[i],
            pads[i],
            attrs.dilations[i],
            pads[n + i],
            ctx.in_strides(0)[i + 2],
            ctx.out_strides(0)[i + 2]};
  }
  if (!form.planar) form.h.in_stride = dims.mul(form.w.in_stride, form.w.in);
  return Verdict::yes();
}

inline KernelText& append(KernelText& to, const KernelText& from) {
  to.pieces.insert(to.pieces.end(), from.pieces.begin(), from.pieces.end());
  return to;
}

/// Operand 2, if there is one: an element for each channel of the result.
inline void add_bias(KernelCtx& ctx, EpilogueForm& e) {
  if (!ctx.has(2)) return;
  std::vector<Dim> strides(ctx.out(0).shape.size(), ctx.dims.constant(0));
  strides[1] = ctx.in_strides(2)[0];
  e.addends.push_back({2, std::move(strides)});
}

/// Coordinates of the result: position `row` = (n * out_h + oh) * out_w + ow, channel `column` of the group `b3`.
inline EpilogueForm conv_epilogue(KernelCtx& ctx, const ConvForm& form, int64_t outputs, int step,
                                  bool grouped) {
  DimTable& dims = ctx.dims;
  EpilogueForm e{.column_axis = 1, .column_step = step};
  e.rows = form.planar ? std::vector<size_t>{0, 2, 3} : std::vector<size_t>{0, 2};
  auto coordinate = [&](const auto& build) {
    KernelText text;
    build(text);
    e.coordinates.push_back(std::move(text));
  };
  const Dim plane = dims.mul(form.h.out, form.w.out);
  coordinate([&](KernelText& t) { t << "m / (int)" << plane; });
  coordinate([&](KernelText& t) {
    t << "n";
    if (grouped) t << std::string_view(" + b3 * " + std::to_string(outputs));
  });
  if (form.planar)
    coordinate([&](KernelText& t) { t << "m / (int)" << form.w.out << " % (int)" << form.h.out; });
  coordinate([&](KernelText& t) { t << "m % (int)" << form.w.out; });
  if (grouped) {
    e.captures.push_back("b3");
    while (e.column_step > 1 && outputs % e.column_step != 0) e.column_step /= 2;
  }
  add_bias(ctx, e);
  return e;
}

}  // namespace burnish
