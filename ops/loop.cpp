#include "ops/region.h"

namespace burnish {

namespace {

/// `carried`: how many values go from iteration to iteration.
struct LoopAttrs {
  int64_t carried = 0;
  BURNISH_REFLECT(LoopAttrs, carried)
};

// Inputs: trip count, condition (either may be left out), carried values, captures. The region takes iteration number and
// condition instead of the first two; it gives a condition, the carried values, and elements of the scan outputs.
Result<> infer(InferCtx& c) {
  const auto carried = static_cast<size_t>(c.attrs<LoopAttrs>().carried);
  if (c.node.regions.size() != 1 || c.input_count() < 2 + carried || c.output_count() < carried)
    return c.error("its operands do not fit its body");
  Graph& body = c.node.regions[0];
  if (body.inputs.size() != c.input_count() || body.outputs.size() != 1 + c.output_count())
    return c.error("its body takes " + std::to_string(body.inputs.size()) + " values and gives " +
                   std::to_string(body.outputs.size()) + ", the node has " + std::to_string(c.input_count()) +
                   " inputs and " + std::to_string(c.output_count()) + " outputs");
  for (size_t k = 2; k < c.input_count(); ++k) {
    hand_in(c, body, k, c.node.inputs[k]);
    if (k < 2 + carried) body.values[body.inputs[k]].content.reset();  // it changes
  }
  TRY(infer(body).during("inferring the body of " + describe(c.node)));
  for (size_t i = 0; i < c.output_count(); ++i) {
    const TensorType& given = body.values[body.outputs[1 + i]].type;
    TensorType out{given.dtype, {}};
    if (i < carried) {
      const TensorType& initial = c.in(2 + i);
      if (given.dtype != initial.dtype || given.shape.size() != initial.shape.size())
        return c.error("carried value " + std::to_string(i) + " is " + std::string(name_of(initial.dtype)) +
                       c.dims.text(initial.shape) + " before and " + std::string(name_of(given.dtype)) +
                       c.dims.text(given.shape) + " after an iteration");
      for (uint32_t axis = 0; axis < given.shape.size(); ++axis)
        out.shape.push_back(given.shape[axis] == initial.shape[axis]
                                ? given.shape[axis]
                                : c.extent_symbol(i, axis, {0, DimTable::unbounded}));
    } else {
      out.shape.push_back(c.extent_symbol(i, 0, {0, DimTable::unbounded}));
      for (uint32_t axis = 0; axis < given.shape.size(); ++axis)
        out.shape.push_back(known_outside(c.dims, body, given.shape[axis])
                                ? given.shape[axis]
                                : c.extent_symbol(i, axis + 1, {0, DimTable::unbounded}));
    }
    c.out(i, std::move(out));
  }
  return {};
}

}  // namespace

extern const OpDef op_loop;
const OpDef op_loop = {.name = "Loop", .attrs = &attr_schema<LoopAttrs>, .infer = infer};

}  // namespace burnish
