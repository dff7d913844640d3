#include "ir/pointwise.h"

namespace burnish {

namespace {

struct GreaterOrEqual {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::greater_or_equal(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.less(y, dims.add(x, dims.constant(1))); }
};

}  // namespace

extern const OpDef op_greater_or_equal;
const OpDef op_greater_or_equal = pointwise<GreaterOrEqual, 2, reals | integers>("GreaterOrEqual");

}  // namespace burnish
