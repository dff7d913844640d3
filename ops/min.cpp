#include "ir/pointwise.h"
#include "ops/variadic.h"

namespace burnish {

namespace {

struct Min {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::min(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.min(x, y); }
};

Result<> import(ImportCtx& c) {
  c.bind(0, TRY(emit_chain(c, "Min")));
  return {};
}

}  // namespace

extern const OpDef op_min;
const OpDef op_min = [] {
  OpDef op = pointwise<Min, 2, reals | integers>("Min");
  op.import = import;
  return op;
}();

}  // namespace burnish
