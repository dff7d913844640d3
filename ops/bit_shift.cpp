#include "ir/pointwise.h"

namespace burnish {

namespace {

struct BitShift {
  struct Attrs {
    std::string direction;
    BURNISH_REFLECT(Attrs, direction)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x, S count) {
    return a.direction == "LEFT" ? prim::shift_left(x, count) : prim::shift_right(x, count);
  }
};

Result<> import(ImportCtx& c) {
  const Attrs attrs = TRY(c.attributes(&attr_schema<BitShift::Attrs>));
  const std::string& direction = attrs.as<BitShift::Attrs>().direction;
  if (direction != "LEFT" && direction != "RIGHT")
    return c.error(Code::invalid_model,
                   "attribute 'direction' must be LEFT or RIGHT, it is '" + direction + "'");
  c.bind(0, TRY(c.emit("BitShift", attrs, {c.input(0), c.input(1)})));
  return {};
}

}  // namespace

extern const OpDef op_bit_shift;
const OpDef op_bit_shift = [] {
  OpDef op = pointwise<BitShift, 2, integers>("BitShift");
  op.import = import;
  return op;
}();

}  // namespace burnish
