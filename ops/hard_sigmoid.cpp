#include "ir/pointwise.h"

namespace burnish {

namespace {

struct HardSigmoid {
  struct Attrs {
    float alpha = 0.2f;
    float beta = 0.5f;
    BURNISH_REFLECT(Attrs, alpha, beta)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x) {
    return prim::hard_sigmoid(x, S(a.alpha), S(a.beta));
  }
};

}  // namespace

extern const OpDef op_hard_sigmoid;
const OpDef op_hard_sigmoid = pointwise<HardSigmoid, 1>("HardSigmoid");

}  // namespace burnish
