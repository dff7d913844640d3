#include "ir/pointwise.h"
#include "ops/variadic.h"

namespace burnish {

namespace {

struct Max {
  template <class S>
  static auto scalar(S x, S y) {
    return prim::max(x, y);
  }
  static Dim content(DimTable& dims, Dim x, Dim y) { return dims.max(x, y); }
};

Result<> import(ImportCtx& c) {
  c.bind(0, TRY(emit_chain(c, "Max")));
  return {};
}

}  // namespace

extern const OpDef op_max;
const OpDef op_max = [] {
  OpDef op = pointwise<Max, 2, reals | integers>("Max");
  op.import = import;
  return op;
}();

}  // namespace burnish
