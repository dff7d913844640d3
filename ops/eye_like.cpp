#include "ops/elements.h"

namespace burnish {

namespace {

/// Ones on diagonal k of a matrix with the extents of the input.
struct EyeLikeAttrs {
  DType dtype = DType::f32;
  int64_t k = 0;
  BURNISH_REFLECT(EyeLikeAttrs, dtype, k)
};

Result<> import(ImportCtx& c) {
  EyeLikeAttrs attrs = TRY(c.attributes(&attr_schema<EyeLikeAttrs>)).as<EyeLikeAttrs>();
  if (!c.has_attribute("dtype")) attrs.dtype = c.type(0).dtype;
  c.bind(0, TRY(c.emit("EyeLike", attrs, {c.input(0)})));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  if (c.rank(0) != 2) return c.error("takes a matrix, got shape " + c.dims.text(c.shape(0)));
  c.out(0, c.attrs<EyeLikeAttrs>().dtype, c.shape(0));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView& y = c.out(0);
  return visit_arithmetic(y.dtype, [&]<class T>(T*) {
    for (int64_t i = 0; i < y.count(); ++i)
      y.data<T>()[i] = static_cast<T>(i % y.shape[1] == i / y.shape[1] + c.attrs<EyeLikeAttrs>().k);
  });
}

}  // namespace

extern const OpDef op_eye_like;
const OpDef op_eye_like = {
    .name = "EyeLike", .attrs = &attr_schema<EyeLikeAttrs>, .import = import, .infer = infer, .eval = eval};

}  // namespace burnish
