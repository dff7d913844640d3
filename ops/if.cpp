#include <algorithm>

#include "ops/body_eval.h"
#include "ops/region.h"

namespace burnish {

namespace {

constexpr std::string_view branch_name[] = {"then", "else"};

// What an output is when either branch may have made it: extents that differ are found when it runs.
Result<TensorType> joined(InferCtx& c, size_t output) {
  const TensorType* type[2];
  for (size_t i = 0; i < 2; ++i) {
    const Graph& region = c.node.regions[i];
    type[i] = &region.values[region.outputs[output]].type;
  }
  const std::string which = "output " + std::to_string(output);
  if (type[0]->dtype != type[1]->dtype)
    return c.error(which + " is " + std::string(name_of(type[0]->dtype)) + " in the then branch and " +
                   std::string(name_of(type[1]->dtype)) + " in the else branch");
  if (type[0]->shape.size() != type[1]->shape.size())
    return Error(Code::unsupported, describe(c.node) + ": " + which + " has shape " +
                                        c.dims.text(type[0]->shape) + " in the then branch and " +
                                        c.dims.text(type[1]->shape) +
                                        " in the else branch: the ranks must agree")
        .remedy(
            "fix the extents that the condition depends on with --shapes, so that one branch is chosen when "
            "the "
            "engine is built");
  TensorType out = *type[0];
  for (uint32_t axis = 0; axis < out.shape.size(); ++axis) {
    const Dim a = c.dims.resolve(type[0]->shape[axis]), b = c.dims.resolve(type[1]->shape[axis]);
    if (a == b && known_outside(c.dims, c.node.regions[0], a)) {
      out.shape[axis] = a;
      continue;
    }
    const Range r = c.dims.range(a), s = c.dims.range(b);
    out.shape[axis] = c.extent_symbol(output, axis, {std::min(r.lo, s.lo), std::max(r.hi, s.hi)});
  }
  return out;
}

// Inputs: condition, captures. Both regions take all captures, in that order.
Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, std::max<size_t>(c.input_count(), 1)));
  if (c.in(0).dtype != DType::boolean || !c.dims.is_constant(c.dims.product(c.shape(0)), 1))
    return c.error("the condition must be one bool, it is " + std::string(name_of(c.in(0).dtype)) +
                   c.dims.text(c.shape(0)));
  if (c.node.regions.size() != 2) return c.error("has no two branches");
  for (size_t i = 0; i < 2; ++i) {
    Graph& region = c.node.regions[i];
    const std::string branch = "the " + std::string(branch_name[i]) + " branch";
    if (region.inputs.size() + 1 != c.input_count())
      return c.error(branch + " does not take what is handed to it");
    if (region.outputs.size() != c.output_count())
      return c.error(branch + " has " + std::to_string(region.outputs.size()) + " outputs, the node " +
                     std::to_string(c.output_count()));
    for (size_t k = 0; k < region.inputs.size(); ++k) hand_in(c, region, k, c.node.inputs[k + 1]);
    TRY(infer(region).during("inferring " + branch + " of " + describe(c.node)));
  }
  for (size_t i = 0; i < c.output_count(); ++i) c.out(i, TRY(joined(c, i)));
  return {};
}

// Inside the body of a loop; elsewhere an If becomes steps.
Result<> eval(EvalCtx& c) {
  const size_t taken = integers_of(c.in(0)).front() != 0 ? 0 : 1;
  const std::vector<Tensor> operands = borrowed_operands(c);
  const std::vector<Tensor> results =
      TRY(evaluate_graph(c.node.regions[taken], std::span(operands).subspan(1), c.pool)
              .during("running the " + std::string(branch_name[taken]) + " branch of " + describe(c.node)));
  for (size_t i = 0; i < results.size(); ++i) TRY(give(c, i, results[i]));
  return {};
}

}  // namespace

extern const OpDef op_if;
const OpDef op_if = {.name = "If", .infer = infer, .eval = eval};

}  // namespace burnish
