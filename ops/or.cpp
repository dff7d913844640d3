#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Or {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::logical_or(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.max(x, y); }
};

}  // namespace

extern const OpDef op_or;
const OpDef op_or = pointwise<Or, 2, booleans>("Or");

}  // namespace burnish
