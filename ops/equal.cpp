#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Equal {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::equal(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.equal(x, y); }
};

}  // namespace

extern const OpDef op_equal;
const OpDef op_equal = pointwise<Equal, 2, reals | integers | booleans>("Equal");

}  // namespace burnish
