#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Atan {
  template <class S>
  static auto scalar(S x) {
    return prim::atan(x);
  }
};

}  // namespace

extern const OpDef op_atan;
const OpDef op_atan = pointwise<Atan, 1>("Atan");

}  // namespace burnish
