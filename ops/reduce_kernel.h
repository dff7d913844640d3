#pragma once

#include "ir/gpu.h"
#include "ops/kernel_axes.h"

namespace burnish {

/// How many threads share a result of `count` elements, from `least` to `most`: eight elements a thread, or more or fewer.
inline int64_t reduce_team(KernelCtx& ctx, Dim count, int64_t least, int64_t most) {
  const int64_t usual = power_of_two_from(ctx.usual(count) / 8);
  std::vector<int64_t> teams;
  std::vector<Tactic> tactics;
  for (const auto& [wanted, cost] : {std::pair(usual, 1.0), {usual * 4, 2.0}, {usual / 4, 2.0}}) {
    const int64_t team = std::clamp<int64_t>(wanted, least, most);
    if (std::ranges::find(teams, team) != teams.end()) continue;
    teams.push_back(team);
    tactics.push_back({"team " + std::to_string(team), cost});
  }
  return teams[ctx.choose(std::move(tactics))];
}

/// Neighbouring results that a thread takes at once, where they and what they are made of lie side by side: 16 bytes.
inline int64_t columns_at_once(const KernelCtx& ctx, const KernelAxes& kept, const KernelAxes& reduced) {
  KernelAxes lines(1);
  for (size_t a = 0; a < reduced.rank(); ++a) lines.add(reduced.extents[a], {reduced.strides[0][a]});
  for (size_t a = 0; a < kept.rank(); ++a) lines.add(kept.extents[a], {kept.strides[0][a]});
  const auto size = static_cast<int64_t>(size_of(ctx.in(0).dtype));
  return access_bytes(ctx.dims, lines, size, {ctx.in_alignment(0)}) / size;
}

/// Blocks of a cluster that share 32 results: where there are few of these and each thread would walk far.
inline int blocks_of_cluster(const KernelCtx& ctx, Dim results, Dim count, int64_t team) {
  if (ctx.architecture() != "sm_90") return 1;
  constexpr int64_t most = 8, enough = 16, resident = 2 * h200::multiprocessors;
  int64_t blocks = std::clamp<int64_t>(power_of_two_from(ctx.usual(count) / team / enough), 1, most);
  while (blocks > 1 && (ctx.usual(results) + 31) / 32 * blocks > resident) blocks /= 2;
  return static_cast<int>(blocks);
}

/// A reduction on a device by the functor `reduction::<functor>` of reduce.cuh.
inline Verdict reduce_kernel(KernelCtx& ctx, std::span<const int64_t> reduced_axes, bool keepdims,
                             const std::string& functor) {
  DimTable& dims = ctx.dims;
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
  KernelAxes all_kept(2), all_reduced(1);
  size_t result_axis = 0;
  std::vector<size_t> axes_of_result(x.size());
  for (size_t a = 0; a < x.size(); ++a) {
    const bool gone = std::binary_search(reduced_axes.begin(), reduced_axes.end(), static_cast<int64_t>(a));
    axes_of_result[a] = result_axis;
    if (gone) all_reduced.add(ctx.in(0).shape[a], {x[a]}, a);
    else all_kept.add(ctx.in(0).shape[a], {x[a], y[result_axis]}, a);
    if (!gone || keepdims) ++result_axis;
  }
  const KernelAxes ordered_kept = in_memory_order(ctx, all_kept, 0), kept = collapsed(dims, ordered_kept);
  const KernelAxes ordered_reduced = in_memory_order(ctx, all_reduced, 0),
                   reduced = collapsed(dims, ordered_reduced);
  const Dim results = dims.product(kept.extents), count = dims.product(reduced.extents);

  KernelCall call{.headers = {"providers/nvrtc/device/reduce.cuh"}};
  const std::string element(has_prologue(ctx) ? "float" : device_type(ctx.in(0).dtype)),
      index = index_type(dims, dims.product(ctx.in(0).shape));
  const bool columns = kept.rank() > 0 && dims.is_constant(kept.strides[0].back(), 1) && reduced.rank() > 0 &&
                       !dims.is_constant(reduced.strides[0].back(), 1) && ctx.usual(kept.extents.back()) >= 8;
  const int64_t vector = columns ? columns_at_once(ctx, kept, reduced) : 1, lanes = 32 / vector;
  const int64_t team =
      columns ? reduce_team(ctx, count, vector, 1024 / lanes) : reduce_team(ctx, count, 1, 1024);
  std::string shared_by = std::to_string(team);
  if (columns) {
    call.cluster = blocks_of_cluster(ctx, results, count, team);
    set_launch(dims, call, results, 32, static_cast<int>(lanes * team));
    call.grid[0] = dims.mul(call.grid[0], dims.constant(call.cluster));
    shared_by =
        std::to_string(lanes * team) + ", " + std::to_string(vector) + ", " + std::to_string(call.cluster);
  } else {
    const int threads = static_cast<int>(std::max<int64_t>(team, team > 32 ? 1 : 128));
    set_launch(dims, call, results, team > 32 ? 1 : threads / team, threads);
  }
  call.body << (columns ? "reduce_columns" : "reduce") << "<reduction::" << functor << "<" << element << ">, "
            << shared_by << ">(" << source_text(ctx) << ", " << ctx.out_pointer(0) << ", "
            << dims_text(kept.extents, index) << ", " << dims_text(kept.strides[0]) << ", "
            << dims_text(kept.strides[1]) << ", " << dims_text(reduced.extents, index) << ", "
            << dims_text(reduced.strides[0]);
  // m numbers the reduced elements, n the results, of which a thread may have several side by side.
  std::vector<size_t> of_results;
  for (const size_t a : ordered_kept.axes) of_results.push_back(axes_of_result[a]);
  add_pointwise(
      ctx, call,
      numbered_form(dims, ctx.in(0).shape, ordered_reduced.axes, ordered_kept.axes, static_cast<int>(vector)),
      numbered_form(dims, ctx.out(0).shape, {}, of_results));
  call.body << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace burnish
