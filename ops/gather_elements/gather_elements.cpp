#include "base/strided.h"
#include "ops/elements.h"
#include "ops/kernel_axes.h"

namespace burnish {

namespace {

struct GatherElementsAttrs {
  int64_t axis = 0;
  BURNISH_REFLECT(GatherElementsAttrs, axis)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const int64_t axis = TRY(c.axis(c.attrs<GatherElementsAttrs>().axis, c.rank(0)));
  if (axis != c.attrs<GatherElementsAttrs>().axis) c.node.attrs = GatherElementsAttrs{axis};
  if (c.rank(1) != c.rank(0))
    return c.error("data and indices are of different ranks, " + c.dims.text(c.shape(0)) + " and " +
                   c.dims.text(c.shape(1)));
  c.out(0, c.in(0).dtype, c.shape(1));
  return {};
}

Result<> eval(EvalCtx& c) {
  const auto axis = static_cast<size_t>(c.attrs<GatherElementsAttrs>().axis);
  const TensorView &x = c.in(0), &at = c.in(1);
  const std::vector<int64_t> strides = dense_strides(x.shape), own = dense_strides(at.shape);
  for (int64_t i = 0; i < at.count(); ++i)
    TRY(checked_index(c, integer_element(at.dtype, at.bytes, i), x.shape[axis]));
  visit_size(size_of(x.dtype), [&]<class T>(T*) {
    const T* from = x.data<T>();
    T* to = c.out(0).data<T>();
    c.pool.parallel_for(at.count(), 1 << 12, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        int64_t offset = 0, left = k;
        for (size_t i = 0; i < own.size(); ++i) {
          int64_t index = left / own[i];
          left %= own[i];
          if (i == axis) {
            index = integer_element(at.dtype, at.bytes, k);
            if (index < 0) index += x.shape[axis];
          }
          offset += index * strides[i];
        }
        to[k] = from[offset];
      }
    });
  });
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const std::vector<Dim>& shape = ctx.out(0).shape;
  const auto axis = static_cast<size_t>(ctx.attrs<GatherElementsAttrs>().axis);
  const Dim total = dims.product(shape);
  const auto size = static_cast<int64_t>(size_of(ctx.in(0).dtype));
  KernelCall call{.headers = {"ops/gather_elements/gather_elements.cuh"}};
  set_launch(dims, call, total, 256, 256);
  call.body << "gather_elements<" << std::to_string(axis) << ">("
            << word_pointer(ctx.in_pointer(0), size, true) << ", " << ctx.in_pointer(1) << ", "
            << word_pointer(ctx.out_pointer(0), size, false) << ", " << ctx.in(0).shape[axis] << ", "
            << dims_text(shape, index_type(dims, total)) << ", " << dims_text(ctx.in_strides(0)) << ", "
            << dims_text(ctx.in_strides(1)) << ", " << dims_text(ctx.out_strides(0)) << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_gather_elements;
const OpDef op_gather_elements = {.name = "GatherElements",
                                  .attrs = &attr_schema<GatherElementsAttrs>,
                                  .infer = infer,
                                  .eval = eval,
                                  .kernel = kernel};

}  // namespace burnish
