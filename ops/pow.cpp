#include "ir/pointwise.h"
#include "ops/emit.h"

namespace burnish {

namespace {

struct Pow {
  template <class S>
  static auto scalar(S x, S exponent) {
    return prim::pow(x, exponent);
  }
};

// ONNX lets the types differ and gives the base's. An integer to a real power is raised in double.
Result<> import(ImportCtx& c) {
  const DType base = c.type(0).dtype, exponent = c.type(1).dtype;
  const DType common = is_integer(base) && is_float(exponent) ? DType::f64 : base;
  auto converted = [&](ValueId v, DType from, DType to) -> Result<ValueId> {
    return from == to ? v : emit_op(c, "Cast", {v}, {{"to", to}});
  };
  const ValueId x = TRY(converted(c.input(0), base, common)),
                y = TRY(converted(c.input(1), exponent, common));
  c.bind(0, TRY(converted(TRY(c.emit("Pow", {}, {x, y})), common, base)));
  return {};
}

}  // namespace

extern const OpDef op_pow;
const OpDef op_pow = [] {
  OpDef op = pointwise<Pow, 2, reals | integers>("Pow");
  op.import = import;
  op.keeps_f32 = true;  // squares and cubes leave the range of FP16 beyond 256 and 40
  return op;
}();

}  // namespace burnish
