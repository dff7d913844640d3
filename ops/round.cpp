#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Round {
  template <class S>
  static auto scalar(S x) {
    return prim::round(x);
  }
};

}  // namespace

extern const OpDef op_round;
const OpDef op_round = pointwise<Round, 1>("Round");

}  // namespace burnish
