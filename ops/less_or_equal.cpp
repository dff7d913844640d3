#include "ir/pointwise.h"

namespace burnish {

namespace {

struct LessOrEqual {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::less_or_equal(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.less(x, dims.add(y, dims.constant(1))); }
};

}  // namespace

extern const OpDef op_less_or_equal;
const OpDef op_less_or_equal = pointwise<LessOrEqual, 2, reals | integers>("LessOrEqual");

}  // namespace burnish
