#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Acos {
  template <class S>
  static auto scalar(S x) {
    return prim::acos(x);
  }
};

}  // namespace

extern const OpDef op_acos;
const OpDef op_acos = pointwise<Acos, 1>("Acos");

}  // namespace burnish
