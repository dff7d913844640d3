#include "ir/pointwise.h"

namespace burnish {

namespace {

struct HardSwish {
  template <class S>
  static auto scalar(S x) {
    return prim::hard_swish(x);
  }
};

}  // namespace

extern const OpDef op_hard_swish;
const OpDef op_hard_swish = pointwise<HardSwish, 1>("HardSwish");

}  // namespace burnish
