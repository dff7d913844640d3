#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Tan {
  template <class S>
  static auto scalar(S x) {
    return prim::tan(x);
  }
};

}  // namespace

extern const OpDef op_tan;
const OpDef op_tan = pointwise<Tan, 1>("Tan");

}  // namespace burnish
