#include "ops/elements.h"
#include "ops/kernel_axes.h"

namespace burnish {

namespace {

/// Inputs: indices, depth, [off, on]. `axis`: where the new axis goes.
struct OneHotAttrs {
  int64_t axis = -1;
  BURNISH_REFLECT(OneHotAttrs, axis)
};

// Indices and depth may be of any type.
Result<> import(ImportCtx& c) {
  std::vector<ValueId> inputs{c.input(0), c.input(1), c.input(2)};
  for (size_t i = 0; i < 2; ++i)
    if (const DType t = c.type(i).dtype; t != DType::i64 && t != DType::i32)
      inputs[i] = TRY(emit_op(c, "Cast", {inputs[i]}, {{"to", DType::i64}}));
  c.bind(0, TRY(emit_op(c, "OneHot", std::move(inputs), {{"axis", TRY(c.integer("axis", -1))}})));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  const int64_t axis = TRY(c.axis(c.attrs<OneHotAttrs>().axis, c.rank(0) + 1));
  if (axis != c.attrs<OneHotAttrs>().axis) c.node.attrs = OneHotAttrs{axis};
  const std::vector<Dim> depth = TRY(c.content_or_symbols(1));
  if (depth.size() != 1) return c.error("depth must be one integer");
  if (c.dims.range(depth[0]).hi < 0) return c.error("depth is " + c.dims.text(depth[0]));
  if (c.rank(2) != 1) return c.error("values must be a vector of two, got shape " + c.dims.text(c.shape(2)));
  TRY(c.unify(c.shape(2)[0], c.dims.constant(2), "there must be two values, off and on"));
  std::vector<Dim> shape = c.shape(0);
  shape.insert(shape.begin() + axis, depth[0]);
  c.out(0, c.in(2).dtype, std::move(shape));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView& y = c.out(0);
  const Around around(y.shape, c.attrs<OneHotAttrs>().axis);
  visit_size(size_of(y.dtype), [&]<class T>(T*) {
    const T off = c.in(2).data<T>()[0], on = c.in(2).data<T>()[1];
    std::fill_n(y.data<T>(), y.count(), off);
    for (int64_t i = 0; i < c.in(0).count(); ++i) {
      int64_t index = integer_element(c.in(0).dtype, c.in(0).bytes, i);
      if (index < 0) index += around.extent;
      if (index >= 0 && index < around.extent)
        y.data<T>()[(i / around.inner * around.extent + index) * around.inner + i % around.inner] = on;
    }
  });
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const std::vector<Dim>& shape = ctx.out(0).shape;
  const auto axis = static_cast<size_t>(ctx.attrs<OneHotAttrs>().axis);
  KernelAxes before(2), after(2);
  for (size_t a = 0; a < shape.size(); ++a)
    if (a != axis)
      (a < axis ? before : after)
          .add(shape[a], {ctx.in_strides(0)[a < axis ? a : a - 1], ctx.out_strides(0)[a]});
  const KernelAxes outer = collapsed(dims, before), inner = collapsed(dims, after);
  const Dim total = dims.product(shape);
  const std::string index = index_type(dims, total);
  const auto size = static_cast<int64_t>(size_of(ctx.in(2).dtype));
  KernelCall call{.headers = {"ops/one_hot/one_hot.cuh"}};
  set_launch(dims, call, total, 256, 256);
  call.body << "one_hot(" << ctx.in_pointer(0) << ", " << word_pointer(ctx.in_pointer(2), size, true) << ", "
            << word_pointer(ctx.out_pointer(0), size, false) << ", " << dims_text(outer.extents, index)
            << ", " << dims_text(outer.strides[0]) << ", " << dims_text(outer.strides[1]) << ", "
            << dims_text(inner.extents, index) << ", " << dims_text(inner.strides[0]) << ", "
            << dims_text(inner.strides[1]) << ", " << shape[axis] << ", " << ctx.out_strides(0)[axis] << ", "
            << ctx.in_strides(2)[0] << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_one_hot;
const OpDef op_one_hot = {.name = "OneHot",
                          .attrs = &attr_schema<OneHotAttrs>,
                          .import = import,
                          .infer = infer,
                          .eval = eval,
                          .kernel = kernel,
                          .content_operands = 0b10};

}  // namespace burnish
