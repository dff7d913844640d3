#include <limits>

#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Clip {
  template <class S>
  static auto scalar(S x, S low, S high) {
    return prim::clip(x, low, high);
  }
  static Dim content(DimTable& dims, Dim x, Dim low, Dim high) { return dims.min(dims.max(x, low), high); }
};

// Bounds were attributes before opset 11; there a bound at the end of the float range is none.
Result<> import(ImportCtx& c) {
  ValueId low = no_value, high = no_value;
  if (c.opset() < 11) {
    constexpr float most = std::numeric_limits<float>::max();
    const float from = TRY(c.real("min", -most)), to = TRY(c.real("max", most));
    if (from > -most) low = c.constant_real(from, c.type(0).dtype);
    if (to < most) high = c.constant_real(to, c.type(0).dtype);
  } else {
    if (c.has_input(1)) low = c.input(1);
    if (c.has_input(2)) high = c.input(2);
  }
  const ValueId x = c.input(0);
  if (low != no_value && high != no_value) c.bind(0, TRY(c.emit("Clip", {}, {x, low, high})));
  else if (low != no_value) c.bind(0, TRY(c.emit("Max", {}, {x, low})));
  else if (high != no_value) c.bind(0, TRY(c.emit("Min", {}, {x, high})));
  else c.bind(0, TRY(c.emit("Identity", {}, {x})));
  return {};
}

}  // namespace

extern const OpDef op_clip;
const OpDef op_clip = [] {
  OpDef op = pointwise<Clip, 3, reals | integers>("Clip");
  op.import = import;
  return op;
}();

}  // namespace burnish
