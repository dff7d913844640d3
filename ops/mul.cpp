#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Mul {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::mul(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.mul(x, y); }
};

}  // namespace

extern const OpDef op_mul;
const OpDef op_mul = pointwise<Mul, 2, reals | integers>("Mul");

}  // namespace burnish
