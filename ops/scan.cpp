#include "ops/region.h"

namespace burnish {

namespace {

/// `carried`: how many states go from iteration to iteration. Directions: 0 forward, 1 backward.
struct ScanAttrs {
  int64_t carried = 0, num_scan_inputs = 0;
  std::vector<int64_t> scan_input_axes, scan_output_axes, scan_input_directions, scan_output_directions;
  BURNISH_REFLECT(ScanAttrs, carried, num_scan_inputs, scan_input_axes, scan_output_axes,
                  scan_input_directions, scan_output_directions)
};

// The extent that is walked; the body sees the operand without it.
Result<Dim> hand_in_slice(InferCtx& c, Graph& body, size_t k, int64_t axis) {
  TensorType type = c.in(k);
  axis = TRY(c.axis(axis, c.rank(k)));
  const Dim extent = type.shape[static_cast<size_t>(axis)];
  type.shape.erase(type.shape.begin() + axis);
  Value& to = body.values[body.inputs[k]];
  to.type = std::move(type);
  to.content.reset();
  return extent;
}

// Inputs: states, scanned tensors, captures; the region takes the same, of the scanned tensors one slice each. It gives the
// states and slices of the scan outputs.
Result<> infer(InferCtx& c) {
  const auto& attrs = c.attrs<ScanAttrs>();
  const auto carried = static_cast<size_t>(attrs.carried),
             scanned = static_cast<size_t>(attrs.num_scan_inputs);
  if (c.node.regions.size() != 1 || scanned == 0 || c.input_count() < carried + scanned ||
      c.output_count() < carried)
    return c.error("its operands do not fit its body");
  Graph& body = c.node.regions[0];
  if (body.inputs.size() != c.input_count() || body.outputs.size() != c.output_count())
    return c.error("its body takes " + std::to_string(body.inputs.size()) + " values and gives " +
                   std::to_string(body.outputs.size()) + ", the node has " + std::to_string(c.input_count()) +
                   " inputs and " + std::to_string(c.output_count()) + " outputs");
  std::optional<Dim> steps;
  for (size_t k = 0; k < c.input_count(); ++k) {
    if (k < carried || k >= carried + scanned) {
      hand_in(c, body, k, c.node.inputs[k]);
      if (k < carried) body.values[body.inputs[k]].content.reset();  // it changes
      continue;
    }
    const size_t i = k - carried;
    const Dim extent =
        TRY(hand_in_slice(c, body, k, i < attrs.scan_input_axes.size() ? attrs.scan_input_axes[i] : 0));
    if (steps) TRY(c.unify(*steps, extent, "all scanned tensors must have as many slices"));
    else steps = extent;
  }
  TRY(infer(body).during("inferring the body of " + describe(c.node)));
  for (size_t i = 0; i < c.output_count(); ++i) {
    TensorType out = body.values[body.outputs[i]].type;
    for (uint32_t axis = 0; axis < out.shape.size(); ++axis)
      if (!known_outside(c.dims, body, out.shape[axis]) ||
          (i < carried && out.shape[axis] != c.shape(i)[axis]))
        return Error(Code::unsupported, describe(c.node) + ": extent " + std::to_string(axis) +
                                            " of result " + std::to_string(i) +
                                            " of its body changes between iterations");
    if (i >= carried) {
      const size_t k = i - carried;
      const auto rank = static_cast<int64_t>(out.shape.size()) + 1;
      const int64_t axis =
          TRY(c.axis(k < attrs.scan_output_axes.size() ? attrs.scan_output_axes[k] : 0, rank));
      out.shape.insert(out.shape.begin() + axis, *steps);
    }
    c.out(i, std::move(out));
  }
  return {};
}

}  // namespace

extern const OpDef op_scan;
const OpDef op_scan = {.name = "Scan", .attrs = &attr_schema<ScanAttrs>, .infer = infer};

}  // namespace burnish
