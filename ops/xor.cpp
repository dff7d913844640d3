#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Xor {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::logical_xor(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.sub(dims.constant(1), dims.equal(x, y)); }
};

}  // namespace

extern const OpDef op_xor;
const OpDef op_xor = pointwise<Xor, 2, booleans>("Xor");

}  // namespace burnish
