#include <algorithm>

#include "ir/control_flow.h"
#include "ir/verify.h"
#include "passes/pass.h"

namespace burnish {

extern const Pass pass_dead_code, pass_remove_identities, pass_fold_pads, pass_fold_constants,
    pass_absorb_shapes, pass_common_subexpressions, pass_recover_operators,
    pass_spell_out_batch_normalization, pass_fold_scale_and_bias, pass_join_parts, pass_merge_products,
    pass_half_precision, pass_gather_shifts, pass_split_rows, pass_split_before_transpose,
    pass_recover_attention, pass_unflatten_products, pass_layouts_last, pass_pick_before_normalization,
    pass_recover_space_to_depth, pass_normalize_before_joining, pass_share_heads, pass_compute_parts,
    pass_fuse, pass_normalize_in_products, pass_merge_pointwise, pass_lift_constants;

const std::vector<Stage>& pipeline() {
  static const std::vector<Stage> stages = {
      // 1. What is known when the engine is built is computed now; what nobody reads goes.
      {"clean up",
       {&pass_fold_constants, &pass_absorb_shapes, &pass_remove_identities, &pass_fold_pads,
        &pass_common_subexpressions, &pass_join_parts, &pass_dead_code},
       true},
      // 2. Operators that exporters spell out.
      {"recover",
       {&pass_recover_operators, &pass_fold_constants, &pass_common_subexpressions, &pass_dead_code},
       true},
      // 3. Normalisation with stored statistics is a scale and a bias, and these go into the weights before them.
      {"fold scales", {&pass_spell_out_batch_normalization, &pass_fold_scale_and_bias}, false},
      {"clean up", {&pass_fold_constants, &pass_common_subexpressions, &pass_dead_code}, true},
      // 4. Products that share an operand are one.
      {"products", {&pass_merge_products}, false},
      // 5. Which values are stored in FP16.
      {"precision",
       {&pass_half_precision, &pass_fold_constants, &pass_common_subexpressions, &pass_dead_code},
       false},
      // 6. Attention in half precision is one kernel, whose scores are never in memory; views bring its operands into shape.
      {"attention",
       {&pass_gather_shifts, &pass_recover_space_to_depth, &pass_split_before_transpose, &pass_split_rows,
        &pass_normalize_before_joining, &pass_remove_identities, &pass_recover_attention, &pass_share_heads,
        &pass_fold_constants, &pass_dead_code},
       true},
      // 7. Pointwise work joins its neighbours, and what is like it: one kernel each.
      {"fusion",
       {&pass_unflatten_products, &pass_compute_parts, &pass_layouts_last, &pass_fold_constants,
        &pass_remove_identities, &pass_dead_code, &pass_pick_before_normalization, &pass_fuse,
        &pass_normalize_in_products, &pass_dead_code, &pass_merge_pointwise},
       false},
      // 8. Loops run on the host, as text with their bodies.
      {"loops", {&pass_lift_constants}, false},
  };
  return stages;
}

std::span<const Pass* const> all_passes() {
  static const Pass* const passes[] = {&pass_fold_constants,
                                       &pass_absorb_shapes,
                                       &pass_remove_identities,
                                       &pass_fold_pads,
                                       &pass_common_subexpressions,
                                       &pass_dead_code,
                                       &pass_join_parts,
                                       &pass_recover_operators,
                                       &pass_spell_out_batch_normalization,
                                       &pass_fold_scale_and_bias,
                                       &pass_merge_products,
                                       &pass_gather_shifts,
                                       &pass_recover_space_to_depth,
                                       &pass_split_rows,
                                       &pass_split_before_transpose,
                                       &pass_normalize_before_joining,
                                       &pass_half_precision,
                                       &pass_recover_attention,
                                       &pass_share_heads,
                                       &pass_unflatten_products,
                                       &pass_compute_parts,
                                       &pass_layouts_last,
                                       &pass_pick_before_normalization,
                                       &pass_fuse,
                                       &pass_normalize_in_products,
                                       &pass_merge_pointwise,
                                       &pass_lift_constants};
  return passes;
}

namespace {

// f on the graph, after the regions of nodes that `enters` says yes to.
template <class Enters>
Result<bool> for_each(Graph& graph, const Enters& enters, const std::function<Result<bool>(Graph&)>& f) {
  bool changed = false;
  for (Node& node : graph.nodes)
    if (!node.dead && enters(node))
      for (Graph& region : node.regions) changed = TRY(for_each(region, enters, f)) || changed;
  return TRY(f(graph)) || changed;
}

}  // namespace

bool is_contraction(const Node& node) {
  static constexpr std::string_view names[] = {"Conv", "ConvTranspose", "MatMul", "Gemm"};
  return std::find(std::begin(names), std::end(names), node.op->name) != std::end(names);
}

Result<bool> for_each_graph(Graph& graph, const std::function<Result<bool>(Graph&)>& f) {
  return for_each(graph, is_control_flow, f);
}

Result<bool> for_each_lowered_graph(Graph& graph, const std::function<Result<bool>(Graph&)>& f) {
  return for_each(graph, [](const Node& node) { return is_control_flow(node) && !iterates(node); }, f);
}

namespace {

Result<bool> run_checked(const Pass& pass, Graph& graph, const PassContext& context) {
  const bool changed = TRY(pass.run(graph, context));
  if (changed) TRY(verify(graph));
  return changed;
}

}  // namespace

Result<> run_pipeline(Graph& graph, const PassContext& context) {
  constexpr int most_rounds = 16;
  TRY(verify(graph).during("checking the imported graph"));
  for (const Stage& stage : pipeline()) {
    bool changed = true;
    for (int round = 0; changed && round < (stage.until_stable ? most_rounds : 1); ++round) {
      changed = false;
      for (const Pass* pass : stage.passes) {
        auto result = run_checked(*pass, graph, context);
        if (!result)
          return std::move(result).during("running pass '" + std::string(pass->name) + "'").error();
        changed = *result || changed;
      }
    }
  }
  graph.resolve_dims();
  return {};
}

}  // namespace burnish
