#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Mish {
  template <class S>
  static auto scalar(S x) {
    return prim::mish(x);
  }
};

}  // namespace

extern const OpDef op_mish;
const OpDef op_mish = pointwise<Mish, 1>("Mish");

}  // namespace burnish
