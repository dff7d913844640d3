#pragma once

#include "ops/dims.h"
#include "ops/elements.h"

namespace burnish {

/// `v`, of `shape`, with each element along `axis` repeated `block` times, up to the extent of x there.
inline Result<ValueId> repeated_in_blocks(ImportCtx& c, ValueId v, const std::vector<Dim>& shape, size_t axis,
                                          int64_t block, Dim extent) {
  const Dim size = c.dims().constant(block);
  const auto after = static_cast<std::ptrdiff_t>(axis) + 1;
  std::vector<Dim> apart = shape, repeated = shape, joined = shape;
  apart.insert(apart.begin() + after, c.dims().constant(1));
  repeated.insert(repeated.begin() + after, size);
  joined[axis] = c.dims().mul(shape[axis], size);
  const ValueId blocks =
      TRY(emit_op(c, "Expand", {TRY(emit_reshape(c, v, apart)), TRY(emit_dims(c, repeated))}));
  const ValueId all = TRY(emit_reshape(c, blocks, joined));
  if (joined[axis] == extent) return all;  // else the last block is not a whole one
  return emit_op(c, "Slice",
                 {all, c.constant_integers({0}), TRY(emit_dims(c, {extent})),
                  c.constant_integers({static_cast<int64_t>(axis)})});
}

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
                   "axis " + std::to_string(given) + " is none of its " + std::to_string(rank) + " axes");
  if (shape.size() != (block > 0 ? x.size() : 1))
    return c.error(Code::invalid_model, "a scale or zero point of shape " + c.dims().text(shape) +
                                            (block > 0 ? " has not as many axes as " + c.dims().text(x)
                                                       : " is neither one number nor a vector"));
  const size_t at = static_cast<size_t>(axis);
  if (block > 0) return repeated_in_blocks(c, v, shape, at, block, x[at]);
  std::vector<Dim> spread(x.size() - at, c.dims().constant(1));
  spread[0] = shape[0];
  return emit_reshape(c, v, spread);
}

/// Operand 1 along x, in FP32.
inline Result<ValueId> quantization_scale(ImportCtx& c) {
  const bool full = c.type(1).dtype == DType::f32;
  const ValueId scale = TRY(along_quantized(c, c.input(1)));
  return full ? scale : emit_op(c, "Cast", {scale}, {{"to", DType::f32}});
}

/// Of operands x, scale and zero point: `integer` is the type of what is quantized, `result` that of the result.
inline Result<> infer_quantization(InferCtx& c, DType integer, DType result) {
  if (const DType scale = c.in(1).dtype; scale != DType::f32)
    return c.error("the scale is " + std::string(name_of(scale)) + ", not f32");
  if (const DType zero = c.in(2).dtype; zero != integer)
    return c.error("the zero point is " + std::string(name_of(zero)) + ", what is quantized " +
                   std::string(name_of(integer)));
  c.out(0, result, TRY(c.broadcast(TRY(c.broadcast(c.shape(0), c.shape(1))), c.shape(2))));
  return {};
}

/// `f` of each x with its scale and zero point. X and Y: the types of x and of the result, one of them that of the zero point.
template <class X, class Y, class F>
void eval_quantization(EvalCtx& c, const F& f) {
  using Zero = std::conditional_t<std::is_same_v<X, float>, Y, X>;
  StridedLoop loop = broadcast_loop(c, 3);
  const int64_t step[] = {loop.strides[0].back(), loop.strides[1].back(), loop.strides[2].back()};
  loop.run<4>(c.pool, [&](const int64_t (&at)[4], int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k)
      c.out(0).data<Y>()[at[3] + k] =
          f(c.in(0).data<X>()[at[0] + k * step[0]], c.in(1).data<float>()[at[1] + k * step[1]],
            c.in(2).data<Zero>()[at[2] + k * step[2]]);
  });
}

}  // namespace burnish
