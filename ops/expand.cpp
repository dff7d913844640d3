#include "base/strided.h"
#include "ops/elements.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const std::vector<Dim> target = TRY(c.content_or_symbols(1));
  for (Dim d : target)
    if (c.dims.range(d).hi < 0) return c.error("asks for an extent of " + c.dims.text(d));
  std::vector<Dim> shape = TRY(c.broadcast(c.shape(0), target));
  const std::vector<Dim>* content = c.content(0);
  const auto count = c.dims.value(c.dims.product(shape));
  if (content && count && shape.size() <= 1) {
    if (content->size() == 1)
      c.out_content(0, std::vector<Dim>(static_cast<size_t>(*count), content->front()));
    else c.out_content(0, *content);
  }
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

Result<> eval(EvalCtx& c) {
  const Shape &from = c.in(0).shape, &shape = c.out(0).shape;
  const std::vector<int64_t> own = dense_strides(from);
  std::vector<int64_t> strides(shape.size(), 0);
  const size_t lead = shape.size() - from.size();
  for (size_t i = 0; i < from.size(); ++i) strides[lead + i] = from[i] == 1 ? 0 : own[i];
  copy_strided(c.pool, size_of(c.in(0).dtype), shape, c.in(0).bytes, strides, c.out(0).bytes,
               dense_strides(shape));
  return {};
}

bool view(ViewCtx& c) {
  const Dim zero = c.dims.constant(0), one = c.dims.constant(1);
  const std::span<const Dim> shape = c.out_shape(0);
  const size_t lead = shape.size() - c.in_shape.size();
  c.out[0] = {c.in.offset, std::vector<Dim>(shape.size(), zero)};
  for (size_t i = 0; i < c.in_shape.size(); ++i) {
    const Dim extent = c.in_shape[i];
    const bool same = extent == shape[lead + i];
    c.out[0].strides[lead + i] =
        same ? c.in.strides[i] : c.dims.select(c.dims.equal(extent, one), zero, c.in.strides[i]);
  }
  return true;
}

}  // namespace

extern const OpDef op_expand;
const OpDef op_expand = {
    .name = "Expand", .infer = infer, .eval = eval, .view = view, .content_operands = 0b10};

}  // namespace burnish
