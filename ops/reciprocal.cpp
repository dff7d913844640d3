#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Reciprocal {
  template <class S>
  static auto scalar(S x) {
    return prim::reciprocal(x);
  }
};

}  // namespace

extern const OpDef op_reciprocal;
const OpDef op_reciprocal = pointwise<Reciprocal, 1>("Reciprocal");

}  // namespace burnish
