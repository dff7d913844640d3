#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Selu {
  struct Attrs {
    float alpha = 1.67326319217681884765625f;
    float gamma = 1.05070102214813232421875f;
    BURNISH_REFLECT(Attrs, alpha, gamma)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x) {
    return prim::selu(x, S(a.alpha), S(a.gamma));
  }
};

}  // namespace

extern const OpDef op_selu;
const OpDef op_selu = pointwise<Selu, 1>("Selu");

}  // namespace burnish
