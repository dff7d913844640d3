#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Sigmoid {
  template <class S>
  static auto scalar(S x) {
    return prim::sigmoid(x);
  }
};

}  // namespace

extern const OpDef op_sigmoid;
const OpDef op_sigmoid = pointwise<Sigmoid, 1>("Sigmoid");

}  // namespace burnish
