#include "ir/pointwise.h"

namespace burnish {

namespace {

struct BitwiseNot {
  template <class S>
  static auto scalar(S x) {
    return prim::bit_not(x);
  }
};

}  // namespace

extern const OpDef op_bitwise_not;
const OpDef op_bitwise_not = pointwise<BitwiseNot, 1, integers>("BitwiseNot");

}  // namespace burnish
