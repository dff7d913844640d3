#include "ir/pointwise.h"

namespace burnish {

namespace {

struct And {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::logical_and(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.mul(x, y); }
};

}  // namespace

extern const OpDef op_and;
const OpDef op_and = pointwise<And, 2, booleans>("And");

}  // namespace burnish
