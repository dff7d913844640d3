#include "ir/pointwise.h"

namespace burnish {

namespace {

// Leaves the range of FP16 beyond |x| = 11.8.
struct Sinh {
  template <class S>
  static auto scalar(S x) {
    return prim::sinh(x);
  }
};

}  // namespace

extern const OpDef op_sinh;
const OpDef op_sinh = [] {
  OpDef op = pointwise<Sinh, 1>("Sinh");
  op.keeps_f32 = true;
  return op;
}();

}  // namespace burnish
