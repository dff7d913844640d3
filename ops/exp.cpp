#include "ir/pointwise.h"

namespace burnish {

namespace {

// e^x leaves the range of FP16 beyond x = 11.
struct Exp {
  template <class S>
  static auto scalar(S x) {
    return prim::exp(x);
  }
};

}  // namespace

extern const OpDef op_exp;
const OpDef op_exp = [] {
  OpDef op = pointwise<Exp, 1>("Exp");
  op.keeps_f32 = true;
  return op;
}();

}  // namespace burnish
