#include "base/strided.h"
#include "ops/elements.h"

namespace burnish {

namespace {

/// Axis i of the result is axis perm[i] of the input. Written out by `infer` where the model leaves it out (reversal).
struct TransposeAttrs {
  std::vector<int64_t> perm;
  BURNISH_REFLECT(TransposeAttrs, perm)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  std::vector<int64_t> perm = c.attrs<TransposeAttrs>().perm;
  const int64_t rank = c.rank(0);
  if (perm.empty())
    for (int64_t i = rank; i-- > 0;) perm.push_back(i);
  if (static_cast<int64_t>(perm.size()) != rank)
    return c.error("perm has " + std::to_string(perm.size()) + " axes, the input has rank " +
                   std::to_string(rank));
  std::vector<bool> seen(perm.size());
  std::vector<Dim> shape;
  for (int64_t& axis : perm) {
    axis = TRY(c.axis(axis, rank));
    if (seen[static_cast<size_t>(axis)])
      return c.error("axis " + std::to_string(axis) + " is named twice in perm");
    seen[static_cast<size_t>(axis)] = true;
    shape.push_back(c.shape(0)[static_cast<size_t>(axis)]);
  }
  if (perm != c.attrs<TransposeAttrs>().perm) c.node.attrs = TransposeAttrs{perm};
  c.out(0, c.in(0).dtype, std::move(shape));
  if (const auto* content = c.content(0); content && rank <= 1) c.out_content(0, *content);
  return {};
}

Result<> eval(EvalCtx& c) {
  const std::vector<int64_t> from = dense_strides(c.in(0).shape);
  std::vector<int64_t> strides;
  for (int64_t axis : c.attrs<TransposeAttrs>().perm) strides.push_back(from[static_cast<size_t>(axis)]);
  const Shape& shape = c.out(0).shape;
  copy_strided(c.pool, size_of(c.in(0).dtype), shape, c.in(0).bytes, strides, c.out(0).bytes,
               dense_strides(shape));
  return {};
}

bool view(ViewCtx& c) {
  c.out[0].offset = c.in.offset;
  for (int64_t axis : c.attrs<TransposeAttrs>().perm)
    c.out[0].strides.push_back(c.in.strides[static_cast<size_t>(axis)]);
  return true;
}

}  // namespace

extern const OpDef op_transpose;
const OpDef op_transpose = {
    .name = "Transpose", .attrs = &attr_schema<TransposeAttrs>, .infer = infer, .eval = eval, .view = view};

}  // namespace burnish
