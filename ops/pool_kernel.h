#pragma once

#include "ops/kernel_axes.h"
#include "ops/pool.h"

namespace burnish {

/// Leading and trailing padding of one axis as the device sees it: SAME's depends on the extent.
inline std::array<Dim, 2> device_pads(DimTable& dims, const PoolAttrs& attrs, size_t axis, Dim in) {
  const size_t n = attrs.kernel_shape.size();
  if (attrs.auto_pad == "NOTSET")
    return {dims.constant(attrs.pads[axis]), dims.constant(attrs.pads[n + axis])};
  const int64_t span = (attrs.kernel_shape[axis] - 1) * attrs.dilations[axis] + 1;
  const Dim step = dims.constant(attrs.strides[axis]), one = dims.constant(1);
  const Dim covered = dims.add(dims.mul(dims.sub(dims.ceil_div(in, step), one), step), dims.constant(span));
  const Dim all = dims.max(dims.sub(covered, in), dims.constant(0));
  const Dim less = dims.floor_div(all, dims.constant(2)), more = dims.sub(all, less);
  return attrs.auto_pad == "SAME_UPPER" ? std::array{less, more} : std::array{more, less};
}

/// MaxPool or AveragePool on a device.
inline Verdict pool_kernel(KernelCtx& ctx, bool average) {
  DimTable& dims = ctx.dims;
  const PoolAttrs& attrs = ctx.attrs<PoolAttrs>();
  const bool indices = !average && ctx.wants(1);
  if (!ctx.wants(0)) return Verdict::no("no device kernel for a pool whose first result nobody reads");
  const std::vector<Dim>&in = ctx.in(0).shape, &out = ctx.out(0).shape;
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
  if (indices && !std::equal(y.begin(), y.end(), ctx.out_strides(1).begin()))
    return Verdict::no("values and indices are stored in different orders");
  const bool channels_last =
      dims.is_constant(x[1], 1) && dims.is_constant(y[1], 1) && !dims.is_constant(in[1], 1);

  std::vector<Dim> pads, ends;
  for (size_t i = 0; i + 2 < in.size(); ++i) {
    const auto [begin, end] = device_pads(dims, attrs, i, in[i + 2]);
    pads.push_back(begin);
    ends.push_back(end);
  }
  int64_t vector = 1;
  if (channels_last && !indices) {
    KernelAxes axes(2);
    for (size_t a = 0; a < in.size(); ++a)
      if (a != 1) axes.add(in[a], {x[a], y[a]});
    axes.add(in[1], {x[1], y[1]});
    const auto size = static_cast<int64_t>(size_of(ctx.in(0).dtype));
    vector = access_bytes(dims, axes, size, {ctx.in_alignment(0), ctx.out_alignment(0)}) / size;
  }
  auto numbers = [](const std::vector<int64_t>& values) {
    std::string text = "dims<int>(";
    for (size_t i = 0; i < values.size(); ++i) text += (i ? ", " : "") + std::to_string(values[i]);
    return text + ")";
  };
  const Dim total = dims.product(out), count = dims.max(total, dims.product(in));
  const std::string index = index_type(dims, count), spatial = std::to_string(in.size() - 2);
  KernelCall call{.headers = {average ? "ops/average_pool/average_pool.cuh" : "ops/max_pool/max_pool.cuh"}};
  set_launch(dims, call, dims.floor_div(total, dims.constant(vector)), 256, 256);
  call.body << (average ? "average_pool<" : "max_pool<") << (channels_last ? "true, " : "false, ")
            << std::to_string(vector)
            << (!average                  ? ""
                : attrs.count_include_pad ? ", true"
                                          : ", false")
            << ">(" << ctx.in_pointer(0) << ", " << ctx.out_pointer(0) << ", ";
  if (indices) call.body << ctx.out_pointer(1) << ", ";
  else if (!average) call.body << "(long long*)nullptr, ";
  call.body << in[0] << ", " << in[1] << ", " << dims_text(std::span(in).subspan(2), index) << ", "
            << dims_text(std::span(out).subspan(2), index) << ", " << dims_text(x) << ", " << dims_text(y)
            << ", Window<" << spatial << ">{" << numbers(attrs.kernel_shape) << ", " << numbers(attrs.strides)
            << ", " << dims_text(pads, "int") << ", " << numbers(attrs.dilations) << "}, ";
  if (average) call.body << dims_text(ends, "int");
  else call.body << (attrs.storage_order != 0 ? "true" : "false");
  call.body << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace burnish
