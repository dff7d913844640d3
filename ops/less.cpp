#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Less {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::less(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.less(x, y); }
};

}  // namespace

extern const OpDef op_less;
const OpDef op_less = pointwise<Less, 2, reals | integers>("Less");

}  // namespace burnish
