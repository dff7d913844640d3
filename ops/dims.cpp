#include "ops/dims.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) {
  const auto& attrs = c.attrs<DimsAttrs>();
  std::vector<Dim> shape;
  if (!attrs.scalar) shape.push_back(c.dims.constant(static_cast<int64_t>(attrs.dims.size())));
  c.out(0, attrs.dtype, std::move(shape));
  c.out_content(0, attrs.dims);
  return {};
}

}  // namespace

// Without eval: only the lowering knows what the symbols are worth.
extern const OpDef op_dims;
const OpDef op_dims = {.name = "Dims", .attrs = &attr_schema<DimsAttrs>, .infer = infer};

}  // namespace burnish
