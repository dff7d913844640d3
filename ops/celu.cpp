#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Celu {
  struct Attrs {
    float alpha = 1.0f;
    BURNISH_REFLECT(Attrs, alpha)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x) {
    return prim::celu(x, S(a.alpha));
  }
};

}  // namespace

extern const OpDef op_celu;
const OpDef op_celu = pointwise<Celu, 1>("Celu");

}  // namespace burnish
