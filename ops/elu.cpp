#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Elu {
  struct Attrs {
    float alpha = 1.0f;
    BURNISH_REFLECT(Attrs, alpha)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x) {
    return prim::elu(x, S(a.alpha));
  }
};

}  // namespace

extern const OpDef op_elu;
const OpDef op_elu = pointwise<Elu, 1>("Elu");

}  // namespace burnish
