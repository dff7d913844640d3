#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Add {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::add(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.add(x, y); }
};

}  // namespace

extern const OpDef op_add;
const OpDef op_add = pointwise<Add, 2, reals | integers>("Add");

}  // namespace burnish
