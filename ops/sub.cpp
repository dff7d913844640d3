#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Sub {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::sub(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.sub(x, y); }
};

}  // namespace

extern const OpDef op_sub;
const OpDef op_sub = pointwise<Sub, 2, reals | integers>("Sub");

}  // namespace burnish
