#include "base/strided.h"
#include "ops/elements.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  const int64_t most = c.dims.range(c.dims.product(c.shape(0))).hi;
  c.out(0, DType::i64, {c.dims.constant(c.rank(0)), c.extent_symbol(0, 1, {0, most})});
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView& x = c.in(0);
  std::vector<int64_t> found;
  TRY(visit_arithmetic(x.dtype, [&]<class T>(T*) {
    for (int64_t i = 0; i < x.count(); ++i)
      if (x.data<T>()[i] != T(0)) found.push_back(i);
  }));
  const auto count = static_cast<int64_t>(found.size());
  const TensorView y = TRY(found_extents(c, 0, {x.rank(), count}));
  const std::vector<int64_t> strides = dense_strides(x.shape);
  for (size_t k = 0; k < found.size(); ++k)
    for (size_t axis = 0; axis < strides.size(); ++axis)
      y.data<int64_t>()[axis * found.size() + k] = found[k] / strides[axis] % x.shape[axis];
  return {};
}

}  // namespace

extern const OpDef op_non_zero;
const OpDef op_non_zero = {.name = "NonZero", .infer = infer, .eval = eval};

}  // namespace burnish
