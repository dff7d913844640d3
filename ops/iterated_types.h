#pragma once

#include <string>

#include "ir/infer.h"
#include "ir/iterated_body.h"
#include "ir/op.h"

/// What the `infer` of Loop and of Scan share.
namespace burnish {

inline Result<> check_arity(InferCtx& c, const Graph& body, size_t inputs, size_t outputs) {
  if (body.inputs.size() == inputs && body.outputs.size() == outputs) return {};
  return c.error("its body takes " + std::to_string(body.inputs.size()) + " values and gives " +
                 std::to_string(body.outputs.size()) + ", the node has " + std::to_string(c.input_count()) +
                 " inputs and " + std::to_string(c.output_count()) + " outputs");
}

/// What goes from iteration to iteration keeps its element type and rank.
inline Result<> check_carried(InferCtx& c, const Graph& body, const IteratedBody::Carried& carried) {
  for (size_t i = 0; i < carried.count; ++i) {
    const TensorType &before = c.in(carried.first_input + i),
                     &after = body.values[body.outputs[carried.first_output + i]].type;
    if (before.dtype != after.dtype || before.shape.size() != after.shape.size())
      return c.error("carried value " + std::to_string(i) + " is " + std::string(name_of(before.dtype)) +
                     c.dims.text(before.shape) + " before and " + std::string(name_of(after.dtype)) +
                     c.dims.text(after.shape) + " after an iteration");
  }
  return {};
}

/// Infers the body until its types hold in every iteration. `hand_in` gives a fresh body its inputs.
template <class F>
Result<IteratedBody> infer_iterated(InferCtx& c, Graph& body, const IteratedBody::Carried& carried,
                                    const F& hand_in) {
  const Graph untouched = body;
  IteratedBody types(carried);
  do {
    body = untouched;
    TRY(hand_in(types));
    TRY(infer(body).during("inferring the body of " + describe(c.node)));
    TRY(check_carried(c, body, carried));
  } while (types.widen(body));
  return types;
}

/// Carried value i after the last iteration, which may be none at all.
inline TensorType carried_type(InferCtx& c, const IteratedBody& types, uint32_t i, TensorType initial) {
  for (uint32_t axis = 0; axis < initial.shape.size(); ++axis)
    if (types.changes(i, axis)) initial.shape[axis] = c.extent_symbol(i, axis, {0, DimTable::unbounded});
  return initial;
}

/// Extent d of the body as extent `axis` of result i of the node.
inline Dim outside_or_found(InferCtx& c, const IteratedBody& types, Graph& body, Dim d, size_t i,
                            uint32_t axis) {
  const std::optional<Dim> outside = types.outside(body, d);
  return outside ? *outside : c.extent_symbol(i, axis, {0, DimTable::unbounded});
}

}  // namespace burnish
