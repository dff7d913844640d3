#pragma once

#include "ops/copy_kernel.h"

namespace burnish {

/// Copies operand 0 into result 0: where a scatter begins.
inline void copy_data(KernelCtx& ctx) {
  KernelAxes axes(2);
  for (size_t a = 0; a < ctx.in(0).shape.size(); ++a)
    axes.add(ctx.in(0).shape[a], {ctx.in_strides(0)[a], ctx.out_strides(0)[a]});
  CopyLaunches copies(ctx);
  copies.add(0, axes, ctx.dims.constant(0));
  copies.finish();
}

/// "add" -> "scatter::Add".
inline std::string scatter_functor(const std::string& reduction) {
  std::string name = reduction;
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return "scatter::" + name;
}

/// How many threads divide the targets of one line of updates among them (see scatter.cuh), for about 1024 in
/// all.
inline int64_t scatter_partitions(const KernelCtx& ctx, Dim lines) {
  return std::clamp<int64_t>(power_of_two_from(1024 / std::max<int64_t>(ctx.usual(lines), 1)), 1, 1024);
}

}  // namespace burnish
