#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Neg {
  template <class S>
  static auto scalar(S x) {
    return prim::neg(x);
  }
  static Dim content(DimTable& dims, Dim x) { return dims.sub(dims.constant(0), x); }
};

}  // namespace

extern const OpDef op_neg;
const OpDef op_neg = pointwise<Neg, 1, reals | integers>("Neg");

}  // namespace burnish
