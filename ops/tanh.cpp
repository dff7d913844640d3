#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Tanh {
  template <class S>
  static auto scalar(S x) {
    return prim::tanh(x);
  }
};

}  // namespace

extern const OpDef op_tanh;
const OpDef op_tanh = pointwise<Tanh, 1>("Tanh");

}  // namespace burnish
