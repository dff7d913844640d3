#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Asin {
  template <class S>
  static auto scalar(S x) {
    return prim::asin(x);
  }
};

}  // namespace

extern const OpDef op_asin;
const OpDef op_asin = pointwise<Asin, 1>("Asin");

}  // namespace burnish
