#include "ops/dims.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  const std::vector<Dim> shape = c.type(0).shape;
  const auto rank = static_cast<int64_t>(shape.size());
  int64_t axis = TRY(c.integer("axis", 1));
  if (axis < -rank || axis > rank)
    return c.error(Code::invalid_model,
                   "axis " + std::to_string(axis) + " is outside a tensor of rank " + std::to_string(rank));
  if (axis < 0) axis += rank;
  const std::span<const Dim> all(shape);
  const auto lead = static_cast<size_t>(axis);
  c.bind(0, TRY(emit_reshape(c, c.input(0),
                             {c.dims().product(all.first(lead)), c.dims().product(all.subspan(lead))})));
  return {};
}

}  // namespace

extern const OpDef op_flatten;
const OpDef op_flatten = {.name = "Flatten", .import = import};

}  // namespace burnish
