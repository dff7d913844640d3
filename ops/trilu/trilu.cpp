#include "ops/elements.h"
#include "ops/kernel_axes.h"

namespace burnish {

namespace {

/// Keeps the upper (or lower) triangle of each matrix, from diagonal k (operand 1, default 0) on; the rest
/// becomes 0.
struct TriluAttrs {
  bool upper = true;
  BURNISH_REFLECT(TriluAttrs, upper)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 2));
  if (c.rank(0) < 2) return c.error("takes matrices, got shape " + c.dims.text(c.shape(0)));
  c.out(0, c.in(0));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView& x = c.in(0);
  const int64_t rows = x.shape[x.shape.size() - 2], columns = x.shape.back();
  const int64_t k = c.has(1) && c.in(1).count() ? integer_element(c.in(1).dtype, c.in(1).bytes, 0) : 0;
  const bool upper = c.attrs<TriluAttrs>().upper;
  visit_size(size_of(x.dtype), [&]<class T>(T*) {
    for (int64_t i = 0; i < x.count(); ++i) {
      const int64_t above = i % columns - i / columns % rows - k;
      c.out(0).template data<T>()[i] = (upper ? above >= 0 : above <= 0) ? x.data<T>()[i] : T(0);
    }
  });
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const std::vector<Dim>&shape = ctx.in(0).shape, *k = ctx.content(1);
  if (ctx.has(1) && !k) return Verdict::no("the diagonal is not known before the engine runs");
  const size_t matrix = shape.size() - 2;
  KernelAxes batch(2);
  for (size_t a = 0; a < matrix; ++a) batch.add(shape[a], {ctx.in_strides(0)[a], ctx.out_strides(0)[a]});
  KernelAxes axes = collapsed(dims, batch);
  for (size_t a = matrix; a < shape.size(); ++a)
    axes.add(shape[a], {ctx.in_strides(0)[a], ctx.out_strides(0)[a]});
  const Dim total = dims.product(shape);
  const auto size = static_cast<int64_t>(size_of(ctx.in(0).dtype));
  KernelCall call{.headers = {"ops/trilu/trilu.cuh"}};
  set_launch(dims, call, total, 256, 256);
  call.body << "trilu<" << (ctx.attrs<TriluAttrs>().upper ? "true" : "false") << ">("
            << word_pointer(ctx.in_pointer(0), size, true) << ", "
            << word_pointer(ctx.out_pointer(0), size, false) << ", "
            << dims_text(axes.extents, index_type(dims, total)) << ", " << dims_text(axes.strides[0]) << ", "
            << dims_text(axes.strides[1]) << ", " << (k && !k->empty() ? k->front() : dims.constant(0))
            << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_trilu;
const OpDef op_trilu = {.name = "Trilu",
                        .attrs = &attr_schema<TriluAttrs>,
                        .infer = infer,
                        .eval = eval,
                        .kernel = kernel,
                        .content_operands = 0b10};

}  // namespace burnish
