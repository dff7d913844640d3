#include <limits>

#include "ops/body_eval.h"
#include "ops/iterated_types.h"

namespace burnish {

namespace {

/// `carried`: how many values go from iteration to iteration.
struct LoopAttrs {
  int64_t carried = 0;
  BURNISH_REFLECT(LoopAttrs, carried)
};

bool is_true(const Graph& graph, ValueId v) {
  const std::vector<Dim>* content = graph.content(v);
  return content && content->size() == 1 && graph.dims->is_constant(content->front(), 1);
}

// How often the body runs, where nothing but a known trip count ends the loop.
std::optional<Dim> iterations(InferCtx& c, const Graph& body) {
  const std::vector<Dim>* trips = c.content(0);
  if (!trips || trips->size() != 1 || (c.has(1) && !is_true(c.graph, c.node.inputs[1])) ||
      !is_true(body, body.outputs[0]))
    return std::nullopt;
  return c.dims.max(trips->front(), c.dims.constant(0));
}

// Inputs: trip count, condition (either may be left out), carried values, captures. The region takes iteration number and
// condition instead of the first two; it gives a condition, the carried values, and elements of the scan outputs.
Result<> infer(InferCtx& c) {
  const auto carried = static_cast<size_t>(c.attrs<LoopAttrs>().carried);
  if (c.node.regions.size() != 1 || c.input_count() < 2 + carried || c.output_count() < carried)
    return c.error("its operands do not fit its body");
  Graph& body = c.node.regions[0];
  TRY(check_arity(c, body, c.input_count(), 1 + c.output_count()));
  body.values[body.inputs[1]].content = {{c.dims.constant(1)}};  // else the iteration would not run
  const IteratedBody types = TRY(infer_iterated(
      c, body, {.first_input = 2, .first_output = 1, .count = carried}, [&](IteratedBody& fresh) -> Result<> {
        for (size_t k = 2; k < c.input_count(); ++k) fresh.hand_in(body, k, c.graph.values[c.node.inputs[k]]);
        return {};
      }));
  const std::optional<Dim> count = iterations(c, body);
  for (uint32_t i = 0; i < c.output_count(); ++i) {
    if (i < carried) {
      c.out(i, carried_type(c, types, i, c.in(2 + i)));
      continue;
    }
    TensorType out = body.values[body.outputs[1 + i]].type;
    for (uint32_t axis = 0; axis < out.shape.size(); ++axis)
      out.shape[axis] = outside_or_found(c, types, body, out.shape[axis], i, axis + 1);
    out.shape.insert(out.shape.begin(), count ? *count : c.extent_symbol(i, 0, {0, DimTable::unbounded}));
    c.out(i, std::move(out));
  }
  return {};
}

Result<> eval(EvalCtx& c) {
  const Graph& body = c.node.regions[0];
  const auto carried = static_cast<size_t>(c.attrs<LoopAttrs>().carried);
  const int64_t trips = c.has(0) ? integers_of(c.in(0)).front() : std::numeric_limits<int64_t>::max();
  bool go_on = !c.has(1) || integers_of(c.in(1)).front() != 0;
  std::vector<Tensor> in = borrowed_operands(c);
  std::vector<Shape> shapes;
  for (const Tensor& x : in) shapes.push_back(x.shape());
  const Shape scalar(body.values[body.inputs[0]].type.shape.size(), 1);
  in[1] = tensor_of<bool>(DType::boolean, {}, true);
  std::vector<std::vector<Tensor>> slices(c.output_count());
  for (int64_t i = 0; i < trips && go_on; ++i) {
    in[0] = tensor_of<int64_t>(DType::i64, scalar, i);
    std::vector<Tensor> out = TRY(iterate(c, in, i));
    go_on = *out[0].data<bool>();
    for (size_t k = 0; k < c.output_count(); ++k)
      if (k < carried) in[2 + k] = std::move(out[1 + k]);
      else if (c.wants(k)) slices[k].push_back(std::move(out[1 + k]));
  }
  for (size_t k = 0; k < c.output_count(); ++k)
    if (k < carried) TRY(give(c, k, in[2 + k]));
    else TRY(stack(c, k, slices[k], {.if_none = likely_shape(body, body.outputs[1 + k], in, shapes)}));
  return {};
}

}  // namespace

extern const OpDef op_loop;
const OpDef op_loop = {.name = "Loop", .attrs = &attr_schema<LoopAttrs>, .infer = infer, .eval = eval};

}  // namespace burnish
