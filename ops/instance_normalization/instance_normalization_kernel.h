#pragma once

#include "ops/kernel_axes.h"

namespace burnish {

/// Instance or group normalization on a device: x [batch, channels, …] in `groups` groups of neighbouring
/// channels.
inline Verdict instance_normalization_kernel(KernelCtx& ctx, Dim groups, float epsilon) {
  DimTable& dims = ctx.dims;
  if (ctx.in(1).dtype != ctx.in(2).dtype) return Verdict::no("scale and bias are of different types");
  const std::vector<Dim>& shape = ctx.in(0).shape;
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
  KernelAxes all(2), axes(2);
  for (size_t a = 2; a < shape.size(); ++a) all.add(shape[a], {x[a], y[a]});
  const KernelAxes plane = collapsed(dims, in_memory_order(ctx, all, 0));
  for (size_t a = 0; a < 2; ++a) axes.add(shape[a], {x[a], y[a]});
  for (size_t a = 0; a < plane.rank(); ++a)
    axes.add(plane.extents[a], {plane.strides[0][a], plane.strides[1][a]});
  const Dim length = dims.mul(dims.floor_div(shape[1], groups), dims.product(plane.extents));
  const RowTeam team(ctx, length, false);

  KernelCall call{.headers = {"ops/instance_normalization/instance_normalization.cuh"}};
  team.set_rows(dims, call, dims.mul(shape[0], groups));
  call.body << "instance_normalization<" << std::to_string(team.team) << ", " << std::to_string(team.cached)
            << ">(" << ctx.in_pointer(0) << ", " << ctx.in_pointer(1) << ", " << ctx.in_pointer(2) << ", "
            << ctx.out_pointer(0) << ", " << groups << ", "
            << dims_text(axes.extents, index_type(dims, dims.product(shape))) << ", "
            << dims_text(axes.strides[0]) << ", " << dims_text(axes.strides[1]) << ", "
            << ctx.in_strides(1)[0] << ", " << ctx.in_strides(2)[0] << ", "
            << real_text(static_cast<double>(epsilon)) << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace burnish
