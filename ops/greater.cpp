#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Greater {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::greater(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.less(y, x); }
};

}  // namespace

extern const OpDef op_greater;
const OpDef op_greater = pointwise<Greater, 2, reals | integers>("Greater");

}  // namespace burnish
