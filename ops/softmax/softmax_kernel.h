#pragma once

#include "ops/along_axis.h"
#include "ops/kernel_axes.h"

namespace burnish {

/// How often the kernel reads a row: one that lies apart may be one thread's, which keeps 32 elements.
inline int softmax_readings(const Graph& g, const Node& node) {
  const std::vector<Dim>& shape = g.values[node.inputs[0]].type.shape;
  const auto axis = static_cast<size_t>(node.attrs.as<AlongAxisAttrs>().axis);
  const int64_t most = axis + 1 == shape.size() ? most_of_row_in_registers : 32;
  return g.dims->range(shape[axis]).hi <= most ? 1 : 2;
}

/// Softmax or LogSoftmax along one axis on a device.
inline Verdict softmax_kernel(KernelCtx& ctx, int64_t axis, bool logarithm) {
  DimTable& dims = ctx.dims;
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
  const auto along = static_cast<size_t>(axis);
  KernelAxes all(2);
  for (size_t a = 0; a < x.size(); ++a)
    if (a != along) all.add(ctx.in(0).shape[a], {x[a], y[a]}, a);
  const KernelAxes ordered = in_memory_order(ctx, all, 0), rows = collapsed(dims, ordered);
  const Dim length = ctx.in(0).shape[along], count = dims.product(rows.extents);
  const bool apart = rows.rank() > 0 && dims.is_constant(rows.strides[0].back(), 1) &&
                     !dims.is_constant(x[along], 1) && ctx.usual(rows.extents.back()) >= 32;
  const RowTeam team(ctx, length, apart);

  KernelCall call{.headers = {"ops/softmax/softmax.cuh"}};
  team.set_rows(dims, call, count);
  call.body << "softmax<" << (logarithm ? "true, " : "false, ") << std::to_string(team.team) << ", "
            << std::to_string(team.cached) << ">(" << source_text(ctx) << ", " << ctx.out_pointer(0) << ", "
            << dims_text(rows.extents, index_type(dims, count)) << ", " << dims_text(rows.strides[0]) << ", "
            << dims_text(rows.strides[1]) << ", " << length << ", " << x[along] << ", " << y[along];
  const EpilogueForm form = numbered_form(dims, ctx.in(0).shape, ordered.axes, {along});
  add_pointwise(ctx, call, form, form);
  call.body << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace burnish
