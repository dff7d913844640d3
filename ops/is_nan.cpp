#include "ir/pointwise.h"

namespace burnish {

namespace {

struct IsNaN {
  template <class S>
  static auto scalar(S x) {
    return prim::is_nan(x);
  }
};

}  // namespace

extern const OpDef op_is_nan;
const OpDef op_is_nan = pointwise<IsNaN, 1>("IsNaN");

}  // namespace burnish
