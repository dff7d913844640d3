#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Abs {
  template <class S>
  static auto scalar(S x) {
    return prim::abs(x);
  }
  static Dim content(DimTable& dims, Dim x) { return dims.max(x, dims.sub(dims.constant(0), x)); }
};

}  // namespace

extern const OpDef op_abs;
const OpDef op_abs = pointwise<Abs, 1, reals | integers>("Abs");

}  // namespace burnish
