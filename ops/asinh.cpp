#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Asinh {
  template <class S>
  static auto scalar(S x) {
    return prim::asinh(x);
  }
};

}  // namespace

extern const OpDef op_asinh;
const OpDef op_asinh = pointwise<Asinh, 1>("Asinh");

}  // namespace burnish
