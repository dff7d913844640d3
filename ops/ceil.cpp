#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Ceil {
  template <class S>
  static auto scalar(S x) {
    return prim::ceil(x);
  }
};

}  // namespace

extern const OpDef op_ceil;
const OpDef op_ceil = pointwise<Ceil, 1>("Ceil");

}  // namespace burnish
