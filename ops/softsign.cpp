#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Softsign {
  template <class S>
  static auto scalar(S x) {
    return prim::softsign(x);
  }
};

}  // namespace

extern const OpDef op_softsign;
const OpDef op_softsign = pointwise<Softsign, 1>("Softsign");

}  // namespace burnish
