#pragma once

#include "ops/kernel_axes.h"

namespace burnish {

/// How many threads share a result of `count` elements, `most` at most: eight elements a thread, or more or fewer.
inline int64_t reduce_team(KernelCtx& ctx, Dim count, int64_t most) {
  const int64_t usual = power_of_two_from(ctx.usual(count) / 8);
  std::vector<int64_t> teams;
  std::vector<Tactic> tactics;
  for (const auto& [wanted, cost] : {std::pair(usual, 1.0), {usual * 4, 2.0}, {usual / 4, 2.0}}) {
    const int64_t team = std::clamp<int64_t>(wanted, 1, most);
    if (std::ranges::find(teams, team) != teams.end()) continue;
    teams.push_back(team);
    tactics.push_back({"team " + std::to_string(team), cost});
  }
  return teams[ctx.choose(std::move(tactics))];
}

/// A reduction on a device by the functor `reduction::<functor>` of reduce.cuh.
inline Verdict reduce_kernel(KernelCtx& ctx, std::span<const int64_t> reduced_axes, bool keepdims,
                             const std::string& functor) {
  DimTable& dims = ctx.dims;
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
  KernelAxes all_kept(2), all_reduced(1);
  size_t result_axis = 0;
  for (size_t a = 0; a < x.size(); ++a) {
    const bool gone = std::binary_search(reduced_axes.begin(), reduced_axes.end(), static_cast<int64_t>(a));
    if (gone) all_reduced.add(ctx.in(0).shape[a], {x[a]});
    else all_kept.add(ctx.in(0).shape[a], {x[a], y[result_axis]});
    if (!gone || keepdims) ++result_axis;
  }
  const KernelAxes kept = collapsed(dims, in_memory_order(ctx, all_kept, 0));
  const KernelAxes reduced = collapsed(dims, in_memory_order(ctx, all_reduced, 0));
  const Dim results = dims.product(kept.extents), count = dims.product(reduced.extents);

  KernelCall call{.headers = {"providers/nvrtc/device/reduce.cuh"}};
  const std::string element(device_type(ctx.in(0).dtype)),
      index = index_type(dims, dims.product(ctx.in(0).shape));
  const bool columns = kept.rank() > 0 && dims.is_constant(kept.strides[0].back(), 1) && reduced.rank() > 0 &&
                       !dims.is_constant(reduced.strides[0].back(), 1) && ctx.usual(kept.extents.back()) >= 8;
  const int64_t team = reduce_team(ctx, count, columns ? 32 : 1024);
  if (columns) {
    set_launch(dims, call, results, 32, static_cast<int>(32 * team));
  } else {
    const int threads = static_cast<int>(std::max<int64_t>(team, team > 32 ? 1 : 128));
    set_launch(dims, call, results, team > 32 ? 1 : threads / team, threads);
  }
  call.body << (columns ? "reduce_columns" : "reduce") << "<reduction::" << functor << "<" << element << ">, "
            << std::to_string(team) << ">(" << ctx.in_pointer(0) << ", " << ctx.out_pointer(0) << ", "
            << dims_text(kept.extents, index) << ", " << dims_text(kept.strides[0]) << ", "
            << dims_text(kept.strides[1]) << ", " << dims_text(reduced.extents, index) << ", "
            << dims_text(reduced.strides[0]) << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace burnish
