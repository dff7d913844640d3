#include "ir/pointwise.h"

namespace burnish {

namespace {

struct BitwiseOr {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::bit_or(x, y);
  }
};

}  // namespace

extern const OpDef op_bitwise_or;
const OpDef op_bitwise_or = pointwise<BitwiseOr, 2, integers>("BitwiseOr");

}  // namespace burnish
