#include "base/strided.h"
#include "ops/scatter.h"
#include "ops/scatter_kernel.h"

namespace burnish {

namespace {

struct ScatterElementsAttrs {
  int64_t axis = 0;
  std::string reduction = "none";
  BURNISH_REFLECT(ScatterElementsAttrs, axis, reduction)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  const auto& attrs = c.attrs<ScatterElementsAttrs>();
  TRY(check_reduction(c, attrs.reduction));
  if (c.in(2).dtype != c.in(0).dtype) return c.error("updates and data are of different types");
  const int64_t axis = TRY(c.axis(attrs.axis, c.rank(0)));
  if (c.rank(1) != c.rank(0) || c.rank(2) != c.rank(0))
    return c.error("data, indices and updates must be of one rank, got " + c.dims.text(c.shape(0)) + ", " +
                   c.dims.text(c.shape(1)) + " and " + c.dims.text(c.shape(2)));
  for (size_t i = 0; i < c.shape(1).size(); ++i)
    TRY(c.unify(c.shape(1)[i], c.shape(2)[i],
                "axis " + std::to_string(i) + " of indices and updates must be equal"));
  if (axis != attrs.axis) c.node.attrs = ScatterElementsAttrs{axis, attrs.reduction};
  c.out(0, c.in(0));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView &at = c.in(1), &updates = c.in(2), &y = c.out(0);
  TRY(eval_copy(c));
  const auto axis = static_cast<size_t>(c.attrs<ScatterElementsAttrs>().axis);
  const std::vector<int64_t> strides = dense_strides(y.shape), own = dense_strides(at.shape);
  std::vector<int64_t> to(static_cast<size_t>(at.count()));
  for (int64_t k = 0; k < at.count(); ++k) {
    int64_t left = k;
    for (size_t i = 0; i < own.size(); ++i) {
      int64_t index = left / own[i];
      left %= own[i];
      if (i == axis) index = TRY(checked_index(c, integer_element(at.dtype, at.bytes, k), y.shape[axis]));
      to[static_cast<size_t>(k)] += index * strides[i];
    }
  }
  return visit_arithmetic(y.dtype, [&]<class T>(T*) {
    with_join<T>(c.attrs<ScatterElementsAttrs>().reduction, [&](auto join) {
      for (size_t k = 0; k < to.size(); ++k) {
        T& place = y.data<T>()[to[k]];
        place = join(place, updates.data<T>()[k]);
      }
    });
  });
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const auto& attrs = ctx.attrs<ScatterElementsAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis);
  std::vector<Dim> shape = ctx.in(1).shape;
  const bool distinct = dims.is_constant(shape[axis], 1);
  const Dim updates = dims.product(shape);
  const std::string index = index_type(dims, dims.max(updates, dims.product(ctx.in(0).shape)));
  copy_data(ctx);
  KernelCall call{.headers = {"ops/scatter_elements/scatter_elements.cuh"}};
  call.body << "scatter_elements<" << scatter_functor(attrs.reduction) << ", "
            << (distinct ? "true, " : "false, ") << std::to_string(axis) << ">(" << ctx.out_pointer(0) << ", "
            << ctx.in_pointer(1) << ", " << ctx.in_pointer(2) << ", " << ctx.in(0).shape[axis] << ", "
            << dims_text(shape, index) << ", " << dims_text(ctx.out_strides(0)) << ", "
            << dims_text(ctx.in_strides(1)) << ", " << dims_text(ctx.in_strides(2)) << ", ";
  shape[axis] = dims.constant(1);
  const Dim lines = dims.product(shape);
  const int64_t partitions = distinct ? 1 : scatter_partitions(ctx, lines);
  call.body << partitions << ");\n";
  set_launch(dims, call, dims.mul(lines, dims.constant(partitions)), 128, 128);
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_scatter_elements;
const OpDef op_scatter_elements = {.name = "ScatterElements",
                                   .attrs = &attr_schema<ScatterElementsAttrs>,
                                   .infer = infer,
                                   .eval = eval,
                                   .kernel = kernel};

}  // namespace burnish
