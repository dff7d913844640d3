#include "ops/dims.h"

namespace burnish {

namespace {

// At inference nothing is dropped: the data pass through, the mask says that all are kept.
Result<> import(ImportCtx& c) {
  if (c.has_input(2)) {
    const auto* training = c.graph().content(c.input(2));
    if (!training || training->size() != 1 || !c.dims().is_constant((*training)[0], 0))
      return c
          .error(Code::unsupported,
                 "may drop values at random: its input 'training_mode' is not the constant false")
          .remedy("export the model for inference");
  }
  c.bind(0, TRY(c.emit("Identity", {}, {c.input(0)})));
  if (c.output_count() < 2 || !c.wants_output(1)) return {};
  const bool keep = true;
  const ValueId one = c.opset() < 10 ? c.constant_real(1, c.type(0).dtype)
                                     : c.constant(Tensor::of<bool>(DType::boolean, {}, std::span(&keep, 1)));
  c.bind(1, TRY(emit_op(c, "Expand", {one, TRY(emit_dims(c, c.type(0).shape))})));
  return {};
}

}  // namespace

extern const OpDef op_dropout;
const OpDef op_dropout = {.name = "Dropout", .import = import};

}  // namespace burnish
