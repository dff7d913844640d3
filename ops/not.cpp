#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Not {
  template <class S>
  static auto scalar(S x) {
    return prim::logical_not(x);
  }
  static Dim content(DimTable& dims, Dim x) { return dims.equal(x, dims.constant(0)); }
};

}  // namespace

extern const OpDef op_not;
const OpDef op_not = pointwise<Not, 1, booleans>("Not");

}  // namespace burnish
