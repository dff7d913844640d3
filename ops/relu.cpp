#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Relu {
  template <class S>
  static auto scalar(S x) {
    return prim::relu(x);
  }
  static Dim content(DimTable& dims, Dim x) { return dims.max(x, dims.constant(0)); }
};

}  // namespace

extern const OpDef op_relu;
const OpDef op_relu = pointwise<Relu, 1, reals | integers>("Relu");

}  // namespace burnish
