#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Acosh {
  template <class S>
  static auto scalar(S x) {
    return prim::acosh(x);
  }
};

}  // namespace

extern const OpDef op_acosh;
const OpDef op_acosh = pointwise<Acosh, 1>("Acosh");

}  // namespace burnish
