#include "ops/emit.h"

namespace burnish {

namespace {

// One element expanded to the shape: then no bytes are needed for it.
Result<> import(ImportCtx& c) {
  Tensor value = Tensor::zeros(DType::f32, {});
  if (c.has_attribute("value")) {
    const Tensor given = TRY(c.tensor("value"));
    if (given.count() != 1)
      return c.error(Code::invalid_model,
                     "attribute 'value' must have one element, it has " + std::to_string(given.count()));
    value = given.reshaped({});
  }
  c.bind(0, TRY(emit_op(c, "Expand", {c.constant(std::move(value)), c.input(0)})));
  return {};
}

}  // namespace

extern const OpDef op_constant_of_shape;
const OpDef op_constant_of_shape = {.name = "ConstantOfShape", .import = import};

}  // namespace burnish
