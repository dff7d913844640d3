#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Atanh {
  template <class S>
  static auto scalar(S x) {
    return prim::atanh(x);
  }
};

}  // namespace

extern const OpDef op_atanh;
const OpDef op_atanh = pointwise<Atanh, 1>("Atanh");

}  // namespace burnish
