#include "ops/emit.h"
#include "ops/resize/resize.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  ResizeAttrs attrs;
  attrs.mode = TRY(c.string("mode", "nearest"));
  if (attrs.mode == "bilinear") attrs.mode = "linear";
  attrs.coordinate_transformation_mode = "asymmetric";
  attrs.nearest_mode = "simple";
  ValueId scales = c.has_input(1) ? c.input(1) : no_value;
  if (scales == no_value) {  // opset 7
    const std::vector<float> values = TRY(c.reals("scales"));
    scales = c.constant(Tensor::of<float>(DType::f32, {static_cast<int64_t>(values.size())}, values));
  }
  if (!c.graph().constant(scales))
    return c.error(Code::unsupported, "scales must be known when the engine is built")
        .remedy("make them a constant in the model, or export it with opset 11 or newer");
  c.bind(0, TRY(c.emit("Resize", attrs, {c.input(0), no_value, scales, no_value})));
  return {};
}

}  // namespace

extern const OpDef op_upsample;
const OpDef op_upsample = {.name = "Upsample", .import = import};

}  // namespace burnish
