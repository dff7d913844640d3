#include "base/strided.h"
#include "ops/copy_kernel.h"
#include "ops/elements.h"

namespace burnish {

namespace {

struct ConcatAttrs {
  int64_t axis = 0;
  BURNISH_REFLECT(ConcatAttrs, axis)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, c.input_count() ? c.input_count() : 1));
  const int64_t axis = TRY(c.axis(c.attrs<ConcatAttrs>().axis, c.rank(0)));
  if (axis != c.attrs<ConcatAttrs>().axis) c.node.attrs = ConcatAttrs{axis};
  std::vector<Dim> shape = c.shape(0);
  for (size_t i = 1; i < c.input_count(); ++i) {
    if (!c.has(i)) return c.error("operand " + std::to_string(i) + " is missing");
    if (c.in(i).dtype != c.in(0).dtype)
      return c.error("operands are of different types, " + std::string(name_of(c.in(0).dtype)) + " and " +
                     std::string(name_of(c.in(i).dtype)));
    if (c.rank(i) != c.rank(0))
      return c.error("operands are of different ranks, " + c.dims.text(c.shape(0)) + " and " +
                     c.dims.text(c.shape(i)));
    for (size_t k = 0; k < shape.size(); ++k)
      if (k == static_cast<size_t>(axis)) shape[k] = c.dims.add(shape[k], c.shape(i)[k]);
      else
        TRY(c.unify(
            shape[k], c.shape(i)[k],
            "axis " + std::to_string(k) + " of operand " + std::to_string(i) + " must be as in the first"));
  }
  if (shape.size() == 1) {
    std::vector<Dim> all;
    bool known = true;
    for (size_t i = 0; known && i < c.input_count(); ++i) {
      const auto* content = c.content(i);
      known = content != nullptr;
      if (known) all.insert(all.end(), content->begin(), content->end());
    }
    if (known) c.out_content(0, std::move(all));
  }
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

Result<> eval(EvalCtx& c) {
  const auto axis = static_cast<size_t>(c.attrs<ConcatAttrs>().axis);
  const size_t size = size_of(c.out(0).dtype);
  const std::vector<int64_t> strides = dense_strides(c.out(0).shape);
  std::byte* to = c.out(0).bytes;
  for (size_t i = 0; i < c.input_count(); ++i) {
    const TensorView& x = c.in(i);
    if (x.count() > 0) copy_strided(c.pool, size, x.shape, x.bytes, dense_strides(x.shape), to, strides);
    to += static_cast<size_t>(x.shape[axis] * strides[axis]) * size;
  }
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  const auto axis = static_cast<size_t>(ctx.attrs<ConcatAttrs>().axis);
  CopyLaunches copies(ctx);
  Dim before = ctx.dims.constant(0);
  for (size_t i = 0; i < ctx.node.inputs.size(); ++i) {
    const std::vector<Dim>& shape = ctx.in(i).shape;
    KernelAxes axes(2);
    for (size_t a = 0; a < shape.size(); ++a)
      axes.add(shape[a], {ctx.in_strides(i)[a], ctx.out_strides(0)[a]});
    copies.add(i, axes, ctx.dims.mul(before, ctx.out_strides(0)[axis]));
    before = ctx.dims.add(before, shape[axis]);
  }
  copies.finish();
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_concat;
const OpDef op_concat = {.name = "Concat",
                         .attrs = &attr_schema<ConcatAttrs>,
                         .infer = infer,
                         .eval = eval,
                         .kernel = kernel,
                         .keeps_order = true};

}  // namespace burnish
