#include "ops/elements.h"

namespace burnish {

namespace {

/// `axes`: those that go, ascending, non-negative.
struct SqueezeAttrs {
  std::vector<int64_t> axes;
  BURNISH_REFLECT(SqueezeAttrs, axes)
};

// Axes are an attribute before opset 13, then an operand. None given: every axis that is known to have extent 1.
Result<> import(ImportCtx& c) {
  SqueezeAttrs attrs{TRY(c.integers("axes"))};
  const bool given = c.has_attribute("axes") || c.has_input(1);
  if (c.has_input(1)) attrs.axes = TRY(constant_operand(c, 1, "axes"));
  const std::vector<Dim>& shape = c.type(0).shape;
  for (size_t i = 0; !given && i < shape.size(); ++i)
    if (c.dims().is_constant(shape[i], 1)) attrs.axes.push_back(static_cast<int64_t>(i));
  c.bind(0, TRY(c.emit("Squeeze", attrs, {c.input(0)})));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  SqueezeAttrs attrs = c.attrs<SqueezeAttrs>();
  for (int64_t& axis : attrs.axes) {
    axis = TRY(c.axis(axis, c.rank(0)));
    TRY(c.unify(c.shape(0)[static_cast<size_t>(axis)], c.dims.constant(1),
                "axis " + std::to_string(axis) + " is squeezed, so its extent must be 1"));
  }
  std::sort(attrs.axes.begin(), attrs.axes.end());
  if (auto twice = std::adjacent_find(attrs.axes.begin(), attrs.axes.end()); twice != attrs.axes.end())
    return c.error("axis " + std::to_string(*twice) + " is named twice");
  if (attrs.axes != c.attrs<SqueezeAttrs>().axes) c.node.attrs = attrs;
  std::vector<Dim> shape;
  for (int64_t i = 0; i < c.rank(0); ++i)
    if (!std::binary_search(attrs.axes.begin(), attrs.axes.end(), i))
      shape.push_back(c.shape(0)[static_cast<size_t>(i)]);
  c.out(0, c.in(0).dtype, std::move(shape));
  if (const auto* content = c.content(0)) c.out_content(0, *content);
  return {};
}

bool view(ViewCtx& c) {
  const auto& axes = c.attrs<SqueezeAttrs>().axes;
  c.out[0].offset = c.in.offset;
  for (size_t i = 0; i < c.in.strides.size(); ++i)
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(i)))
      c.out[0].strides.push_back(c.in.strides[i]);
  return true;
}

}  // namespace

extern const OpDef op_squeeze;
const OpDef op_squeeze = {.name = "Squeeze",
                          .attrs = &attr_schema<SqueezeAttrs>,
                          .import = import,
                          .infer = infer,
                          .eval = eval_copy,
                          .view = view};

}  // namespace burnish
