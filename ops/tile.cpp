#include "base/strided.h"
#include "ops/copy_kernel.h"
#include "ops/elements.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const std::vector<Dim> repeats = TRY(c.content_or_symbols(1));
  if (repeats.size() != c.shape(0).size())
    return c.error("repeats " + std::to_string(repeats.size()) + " axes of an input of rank " +
                   std::to_string(c.rank(0)));
  std::vector<Dim> shape = c.shape(0);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (c.dims.range(repeats[i]).hi < 0)
      return c.error("axis " + std::to_string(i) + " is repeated " + c.dims.text(repeats[i]) + " times");
    shape[i] = c.dims.mul(shape[i], repeats[i]);
  }
  if (const auto* content = c.content(0); content && shape.size() == 1)
    if (auto count = c.dims.value(shape[0])) {
      std::vector<Dim> all;
      for (size_t k = 0; k < static_cast<size_t>(std::min<int64_t>(*count, 4096)); ++k)
        all.push_back((*content)[k % content->size()]);
      if (static_cast<int64_t>(all.size()) == *count) c.out_content(0, std::move(all));
    }
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

Result<> eval(EvalCtx& c) {
  // Every axis of the result is two: how often, and the input's own.
  if (c.out(0).count() == 0) return {};
  const std::vector<int64_t> own = dense_strides(c.in(0).shape);
  std::vector<int64_t> shape, strides;
  for (size_t i = 0; i < own.size(); ++i) {
    shape.insert(shape.end(), {c.out(0).shape[i] / c.in(0).shape[i], c.in(0).shape[i]});
    strides.insert(strides.end(), {0, own[i]});
  }
  copy_strided(c.pool, size_of(c.in(0).dtype), shape, c.in(0).bytes, strides, c.out(0).bytes,
               dense_strides(shape));
  return {};
}

// Every axis is two here too.
Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const std::vector<Dim>&in = ctx.in(0).shape, &out = ctx.out(0).shape;
  const std::vector<Dim>* repeats = ctx.content(1);
  KernelAxes axes(2);
  for (size_t a = 0; a < in.size(); ++a) {
    const Dim y = ctx.out_strides(0)[a];
    axes.add(repeats ? (*repeats)[a] : dims.floor_div(out[a], in[a]), {dims.constant(0), dims.mul(in[a], y)});
    axes.add(in[a], {ctx.in_strides(0)[a], y});
  }
  CopyLaunches copies(ctx);
  copies.add(0, axes, dims.constant(0));
  copies.finish();
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_tile;
const OpDef op_tile = {
    .name = "Tile", .infer = infer, .eval = eval, .kernel = kernel, .content_operands = 0b10};

}  // namespace burnish
