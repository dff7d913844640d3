#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Floor {
  template <class S>
  static auto scalar(S x) {
    return prim::floor(x);
  }
};

}  // namespace

extern const OpDef op_floor;
const OpDef op_floor = pointwise<Floor, 1>("Floor");

}  // namespace burnish
