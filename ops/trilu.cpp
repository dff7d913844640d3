#include "ops/elements.h"

namespace burnish {

namespace {

/// Keeps the upper (or lower) triangle of each matrix, from diagonal k (operand 1, default 0) on; the rest becomes 0.
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

}  // namespace

extern const OpDef op_trilu;
const OpDef op_trilu = {.name = "Trilu",
                        .attrs = &attr_schema<TriluAttrs>,
                        .infer = infer,
                        .eval = eval,
                        .content_operands = 0b10};

}  // namespace burnish
