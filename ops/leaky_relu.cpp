#include "ir/pointwise.h"

namespace burnish {

namespace {

struct LeakyRelu {
  struct Attrs {
    float alpha = 0.01f;
    BURNISH_REFLECT(Attrs, alpha)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x) {
    return prim::leaky_relu(x, S(a.alpha));
  }
};

}  // namespace

extern const OpDef op_leaky_relu;
const OpDef op_leaky_relu = pointwise<LeakyRelu, 1>("LeakyRelu");

}  // namespace burnish
