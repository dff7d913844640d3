#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Swish {
  struct Attrs {
    float alpha = 1.0f;
    BURNISH_REFLECT(Attrs, alpha)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x) {
    return prim::mul(x, prim::sigmoid(prim::mul(S(a.alpha), x)));
  }
};

}  // namespace

extern const OpDef op_swish;
const OpDef op_swish = pointwise<Swish, 1>("Swish");

}  // namespace burnish
