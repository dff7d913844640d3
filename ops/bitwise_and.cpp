#include "ir/pointwise.h"

namespace burnish {

namespace {

struct BitwiseAnd {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::bit_and(x, y);
  }
};

}  // namespace

extern const OpDef op_bitwise_and;
const OpDef op_bitwise_and = pointwise<BitwiseAnd, 2, integers>("BitwiseAnd");

}  // namespace burnish
