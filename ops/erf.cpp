#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Erf {
  template <class S>
  static auto scalar(S x) {
    return prim::erf(x);
  }
};

}  // namespace

extern const OpDef op_erf;
const OpDef op_erf = pointwise<Erf, 1>("Erf");

}  // namespace burnish
