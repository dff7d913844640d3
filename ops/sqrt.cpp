#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Sqrt {
  template <class S>
  static auto scalar(S x) {
    return prim::sqrt(x);
  }
};

}  // namespace

extern const OpDef op_sqrt;
const OpDef op_sqrt = pointwise<Sqrt, 1>("Sqrt");

}  // namespace burnish
