#include "ir/pointwise.h"

namespace burnish {

namespace {

// Between -lambd and lambd (and for NaN): 0.
struct Shrink {
  struct Attrs {
    float lambd = 0.5f;
    float bias = 0.0f;
    BURNISH_REFLECT(Attrs, lambd, bias)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x) {
    const S lambd(a.lambd), bias(a.bias), zero(0.0);
    return prim::where(prim::less(x, prim::neg(lambd)), prim::add(x, bias),
                       prim::where(prim::greater(x, lambd), prim::sub(x, bias), zero));
  }
};

}  // namespace

extern const OpDef op_shrink;
const OpDef op_shrink = pointwise<Shrink, 1, reals | integers>("Shrink");

}  // namespace burnish
