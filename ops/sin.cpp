#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Sin {
  template <class S>
  static auto scalar(S x) {
    return prim::sin(x);
  }
};

}  // namespace

extern const OpDef op_sin;
const OpDef op_sin = pointwise<Sin, 1>("Sin");

}  // namespace burnish
