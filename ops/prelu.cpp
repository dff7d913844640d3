#include "ir/pointwise.h"

namespace burnish {

namespace {

// slope * x where x is negative; the slope broadcasts to x.
struct PReluScalar {
  template <class S>
  static auto scalar(S x, S slope) {
    return prim::where(prim::less(x, S(0.0)), prim::mul(slope, x), x);
  }
};

}  // namespace

extern const OpDef op_prelu;
const OpDef op_prelu = pointwise<PReluScalar, 2, reals | integers>("PRelu");

}  // namespace burnish
