#include "ir/pointwise.h"

namespace burnish {

namespace {

struct BitwiseXor {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::bit_xor(x, y);
  }
};

}  // namespace

extern const OpDef op_bitwise_xor;
const OpDef op_bitwise_xor = pointwise<BitwiseXor, 2, integers>("BitwiseXor");

}  // namespace burnish
