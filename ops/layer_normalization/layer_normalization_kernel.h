#pragma once

#include "ops/kernel_axes.h"
#include "ops/layer_normalization/layer_normalization.h"

namespace burnish {

/// How often the kernel reads a row. Of rows picked by a table a prologue does not know which they are.
inline int layer_normalization_readings(const Graph& g, const Node& node) {
  if (node.inputs.size() > 3) return 0;
  const std::span<const Dim> shape = g.values[node.inputs[0]].type.shape;
  const auto axis = static_cast<size_t>(node.attrs.as<LayerNormalizationAttrs>().axis);
  return g.dims->range(g.dims->product(shape.subspan(axis))).hi <= most_of_row_in_registers ? 1 : 3;
}

/// The pointer of an operand or result that may be left out; `type` is then the null pointer's.
inline KernelText pointer_or_null(bool there, OperandPointer pointer, std::string_view type) {
  KernelText text;
  if (there) text << pointer;
  else text << "(" << type << "*)nullptr";
  return text;
}

/// The axes that number the rows of the result, as x, the result, and the table that rows are picked by walk them.
inline KernelAxes normalized_rows(KernelCtx& ctx, size_t axis) {
  const std::vector<Dim>& result = ctx.out(0).shape;
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
  const Dim none = ctx.dims.constant(0);
  const size_t count = result.size() - (ctx.in(0).shape.size() - axis), whole = ctx.has(3) ? axis - 1 : axis;
  KernelAxes rows(3);
  for (size_t a = 0; a < count; ++a)
    if (a < whole) rows.add(result[a], {x[a], y[a], none});
    else rows.add(result[a], {none, y[a], ctx.in_strides(3)[a - whole]});
  return rows;
}

/// Strides of x over those axes, or how a table picks among them.
inline KernelText rows_text(const KernelCtx& ctx, const KernelAxes& rows, size_t axis) {
  const KernelText strides = dims_text(rows.strides[0]);
  KernelText picked;
  if (!ctx.has(3)) return strides;
  return picked << "picked_rows(" << strides << ", " << ctx.in_pointer(3) << ", "
                << dims_text(rows.strides[2]) << ", " << ctx.in_strides(0)[axis - 1] << ")";
}

/// LayerNormalization, or with `rms` RMSNormalization, on a device.
inline Verdict layer_normalization_kernel(KernelCtx& ctx, bool rms) {
  DimTable& dims = ctx.dims;
  if (!ctx.wants(0))
    return Verdict::no("no device kernel for a normalization whose first result nobody reads");
  const bool biased = ctx.has(2);
  if (biased && ctx.in(2).dtype != ctx.in(1).dtype)
    return Verdict::no("scale and bias are of different types");
  const LayerNormalizationAttrs& attrs = ctx.attrs<LayerNormalizationAttrs>();
  const std::vector<Dim>& shape = ctx.in(0).shape;
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
  const auto axis = static_cast<size_t>(attrs.axis);
  const std::span<const Dim> tail = std::span(shape).subspan(axis);
  const std::vector<Dim> scale = broadcast_strides(dims, ctx.in(1).shape, ctx.in_strides(1), tail);
  const std::vector<Dim> bias = biased ? broadcast_strides(dims, ctx.in(2).shape, ctx.in_strides(2), tail)
                                       : std::vector<Dim>(tail.size(), dims.constant(0));
  // Means and deviations are numbered by row, so rows stay in the order of the axes.
  const KernelAxes all_rows = normalized_rows(ctx, axis);
  const std::vector<Dim> dense = dense_strides(dims, all_rows.extents);
  for (size_t a = 0; a < all_rows.rank(); ++a)
    for (size_t i = 1; i < 3; ++i)
      if (ctx.wants(i) && ctx.out_strides(i)[a] != dense[a] && !dims.is_constant(all_rows.extents[a], 1))
        return Verdict::no("means are not stored row by row");
  KernelAxes all_within(4);
  for (size_t a = 0; a < tail.size(); ++a)
    all_within.add(tail[a], {x[axis + a], scale[a], bias[a], y[all_rows.rank() + a]});
  const KernelAxes rows = collapsed(dims, all_rows), within = collapsed(dims, all_within);
  const Dim length = dims.product(within.extents), count = dims.product(rows.extents);
  const RowTeam team(ctx, length, false);

  KernelCall call{.headers = {"ops/layer_normalization/layer_normalization.cuh"}};
  team.set_rows(dims, call, count);
  const std::string index = index_type(dims, dims.product(ctx.out(0).shape)),
                    element(device_type(ctx.in(0).dtype));
  const std::string_view moment = ctx.in(0).dtype == DType::f64 ? "double" : "float";
  call.body << "layer_normalization<" << (rms ? "true, " : "false, ") << std::to_string(team.team) << ", "
            << std::to_string(team.cached) << ">(" << source_text(ctx) << ", " << ctx.in_pointer(1) << ", "
            << pointer_or_null(biased, ctx.in_pointer(2),
                               "const " + std::string(device_type(ctx.in(1).dtype)))
            << ", " << ctx.out_pointer(0) << ", " << pointer_or_null(ctx.wants(1), ctx.out_pointer(1), moment)
            << ", " << pointer_or_null(ctx.wants(2), ctx.out_pointer(2), moment) << ", "
            << dims_text(rows.extents, index) << ", " << dims_text(within.extents, index) << ", "
            << rows_text(ctx, rows, axis) << ", " << dims_text(within.strides[0]) << ", "
            << dims_text(within.strides[1]) << ", " << dims_text(within.strides[2]) << ", "
            << dims_text(rows.strides[1]) << ", " << dims_text(within.strides[3]) << ", "
            << real_text(static_cast<double>(attrs.epsilon));
  const std::vector<Dim>& result = ctx.out(0).shape;
  std::vector<size_t> of_rows(all_rows.rank()), of_columns(tail.size());
  std::iota(of_rows.begin(), of_rows.end(), 0);
  std::iota(of_columns.begin(), of_columns.end(), of_rows.size());
  const EpilogueForm form = numbered_form(dims, result, of_rows, of_columns);
  add_pointwise(ctx, call, form, form);
  call.body << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace burnish
