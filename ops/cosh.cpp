#include "ir/pointwise.h"

namespace burnish {

namespace {

// Leaves the range of FP16 beyond |x| = 11.8.
struct Cosh {
  template <class S>
  static auto scalar(S x) {
    return prim::cosh(x);
  }
};

}  // namespace

extern const OpDef op_cosh;
const OpDef op_cosh = [] {
  OpDef op = pointwise<Cosh, 1>("Cosh");
  op.keeps_f32 = true;
  return op;
}();

}  // namespace burnish
