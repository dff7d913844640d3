#include "ops/emit.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  auto bind = [&](Tensor tensor) -> Result<> {
    c.bind(0, c.constant(std::move(tensor)));
    return {};
  };
  if (c.has_attribute("value")) return bind(TRY(c.tensor("value")));
  if (c.has_attribute("value_float")) {
    const float v = TRY(c.real("value_float", {}));
    return bind(Tensor::of<float>(DType::f32, {}, {&v, 1}));
  }
  if (c.has_attribute("value_int")) {
    const int64_t v = TRY(c.integer("value_int", {}));
    return bind(Tensor::of<int64_t>(DType::i64, {}, {&v, 1}));
  }
  if (c.has_attribute("value_floats")) {
    const std::vector<float> v = TRY(c.reals("value_floats"));
    return bind(Tensor::of<float>(DType::f32, {static_cast<int64_t>(v.size())}, v));
  }
  if (c.has_attribute("value_ints")) {
    const std::vector<int64_t> v = TRY(c.integers("value_ints"));
    return bind(Tensor::of<int64_t>(DType::i64, {static_cast<int64_t>(v.size())}, v));
  }
  for (std::string_view kind : {"sparse_value", "value_string", "value_strings"})
    if (c.has_attribute(kind))
      return c.error(Code::unsupported, "attribute '" + std::string(kind) + "' is not supported")
          .remedy(kind == "sparse_value" ? "store the tensor dense" : "remove the strings from the model");
  return c.error(Code::invalid_model, "has no value");
}

}  // namespace

extern const OpDef op_constant;
const OpDef op_constant = {.name = "Constant", .import = import};

}  // namespace burnish
