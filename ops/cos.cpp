#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Cos {
  template <class S>
  static auto scalar(S x) {
    return prim::cos(x);
  }
};

}  // namespace

extern const OpDef op_cos;
const OpDef op_cos = pointwise<Cos, 1>("Cos");

}  // namespace burnish
