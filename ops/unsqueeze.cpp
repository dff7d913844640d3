#include "ops/elements.h"

namespace burnish {

namespace {

/// `axes`: where extents of 1 come in, as axes of the result, ascending, non-negative.
struct UnsqueezeAttrs {
  std::vector<int64_t> axes;
  BURNISH_REFLECT(UnsqueezeAttrs, axes)
};

// Axes are an attribute before opset 13, then an operand.
Result<> import(ImportCtx& c) {
  UnsqueezeAttrs attrs{TRY(c.integers("axes"))};
  if (c.has_input(1)) attrs.axes = TRY(constant_operand(c, 1, "axes"));
  c.bind(0, TRY(c.emit("Unsqueeze", attrs, {c.input(0)})));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  UnsqueezeAttrs attrs = c.attrs<UnsqueezeAttrs>();
  const int64_t rank = c.rank(0) + static_cast<int64_t>(attrs.axes.size());
  for (int64_t& axis : attrs.axes) axis = TRY(c.axis(axis, rank));
  std::sort(attrs.axes.begin(), attrs.axes.end());
  if (auto twice = std::adjacent_find(attrs.axes.begin(), attrs.axes.end()); twice != attrs.axes.end())
    return c.error("axis " + std::to_string(*twice) + " is named twice");
  if (attrs.axes != c.attrs<UnsqueezeAttrs>().axes) c.node.attrs = attrs;
  std::vector<Dim> shape;
  size_t next = 0;
  for (int64_t i = 0; i < rank; ++i)
    if (std::binary_search(attrs.axes.begin(), attrs.axes.end(), i)) shape.push_back(c.dims.constant(1));
    else shape.push_back(c.shape(0)[next++]);
  c.out(0, c.in(0).dtype, std::move(shape));
  if (const auto* content = c.content(0)) c.out_content(0, *content);
  return {};
}

bool view(ViewCtx& c) {
  const auto& axes = c.attrs<UnsqueezeAttrs>().axes;
  const std::vector<Dim> dense = dense_strides(c.dims, c.out_shape(0));
  c.out[0].offset = c.in.offset;
  size_t next = 0;
  for (size_t i = 0; i < c.out_shape(0).size(); ++i)
    if (std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(i)))
      c.out[0].strides.push_back(dense[i]);  // of no effect
    else c.out[0].strides.push_back(c.in.strides[next++]);
  return true;
}

}  // namespace

extern const OpDef op_unsqueeze;
const OpDef op_unsqueeze = {.name = "Unsqueeze",
                            .attrs = &attr_schema<UnsqueezeAttrs>,
                            .import = import,
                            .infer = infer,
                            .eval = eval_copy,
                            .view = view};

}  // namespace burnish
