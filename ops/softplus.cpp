#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Softplus {
  template <class S>
  static auto scalar(S x) {
    return prim::softplus(x);
  }
};

}  // namespace

extern const OpDef op_softplus;
const OpDef op_softplus = pointwise<Softplus, 1>("Softplus");

}  // namespace burnish
