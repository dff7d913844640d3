#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Sign {
  template <class S>
  static auto scalar(S x) {
    return prim::sign(x);
  }
};

}  // namespace

extern const OpDef op_sign;
const OpDef op_sign = pointwise<Sign, 1, reals | integers>("Sign");

}  // namespace burnish
