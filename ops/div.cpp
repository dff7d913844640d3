#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Div {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::div(x, y);
  }
  // Toward zero, like `scalar`.
  static Dim content(DimTable& dims, Dim x, Dim y) {
    const Dim zero = dims.constant(0);
    auto magnitude = [&](Dim d) { return dims.max(d, dims.sub(zero, d)); };
    const Dim quotient = dims.floor_div(magnitude(x), magnitude(y));
    return dims.select(dims.equal(dims.less(x, zero), dims.less(y, zero)), quotient,
                       dims.sub(zero, quotient));
  }
};

}  // namespace

extern const OpDef op_div;
const OpDef op_div = pointwise<Div, 2, reals | integers>("Div");

}  // namespace burnish
