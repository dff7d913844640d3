#pragma once

#include "ops/dims.h"

namespace burnish {

/// `v`, a scale or a zero point of the node's operand x, in axes that broadcast to x's: one for all of x, one for each slice along the
/// attribute `axis`, or one for each block of `block_size` elements along it.
inline Result<ValueId> along_quantized(ImportCtx& c, ValueId v) {
  const std::vector<Dim> x = c.type(0).shape, shape = c.graph().values[v].type.shape;
  const auto rank = static_cast<int64_t>(x.size());
  const int64_t block = TRY(c.integer("block_size", 0)), given = TRY(c.integer("axis", 1)),
                axis = given < 0 ? given + rank : given;
  const bool one = shape.empty() || (shape.size() == 1 && c.dims().is_constant(shape[0], 1));
  if (block == 0 && one) return shape.size() <= x.size() ? v : emit_reshape(c, v, {});
  if (axis < 0 || axis >= rank)
    return c.error(Code::invalid_model,
                   "axis " + std::to_string(given) + " is none of its " + std::to_string(rank));
  const size_t at = static_cast<size_t>(axis);
  if (block == 0) {
    if (shape.size() != 1)
      return c.error(Code::invalid_model, "the scale of shape " + c.dims().text(shape) + " is no vector");
    std::vector<Dim> spread(x.size() - at, c.dims().constant(1));
    spread[0] = shape[0];
    return emit_reshape(c, v, spread);
  }
  if (shape.size() != x.size())
    return c.error(Code::invalid_model, "the scale of blocks has shape " + c.dims().text(shape) +
                                            ", not as many axes as " + c.dims().text(x));
  std::vector<Dim> apart = shape, repeated = shape, joined = shape;
  const Dim size = c.dims().constant(block);
  apart.insert(apart.begin() + axis + 1, c.dims().constant(1));
  repeated.insert(repeated.begin() + axis + 1, size);
  joined[at] = c.dims().mul(shape[at], size);
  const ValueId blocks =
      TRY(emit_op(c, "Expand", {TRY(emit_reshape(c, v, apart)), TRY(emit_dims(c, repeated))}));
  const ValueId all = TRY(emit_reshape(c, blocks, joined));
  if (joined[at] == x[at]) return all;  // else the last block is not a whole one
  return emit_op(c, "Slice",
                 {all, c.constant_integers({0}), TRY(emit_dims(c, {x[at]})), c.constant_integers({axis})});
}

}  // namespace burnish
