#include "ops/elements.h"

namespace burnish {

namespace {

/// Keeps the slices along `axis` (or with `flat` the elements) whose condition holds.
struct CompressAttrs {
  int64_t axis = 0;
  bool flat = false;
  BURNISH_REFLECT(CompressAttrs, axis, flat)
};

Result<> import(ImportCtx& c) {
  const CompressAttrs attrs{TRY(c.integer("axis", 0)), !c.has_attribute("axis")};
  c.bind(0, TRY(c.emit("Compress", attrs, {c.input(0), c.input(1)})));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const auto& attrs = c.attrs<CompressAttrs>();
  if (c.in(1).dtype != DType::boolean || c.rank(1) != 1)
    return c.error("the condition must be a vector of bool");
  if (attrs.flat) {
    c.out(0, c.in(0).dtype, {c.extent_symbol(0, 0, {0, c.dims.range(c.dims.product(c.shape(0))).hi})});
    return {};
  }
  const int64_t axis = TRY(c.axis(attrs.axis, c.rank(0)));
  if (axis != attrs.axis) c.node.attrs = CompressAttrs{axis, false};
  std::vector<Dim> shape = c.shape(0);
  Dim& extent = shape[static_cast<size_t>(axis)];
  extent = c.extent_symbol(0, static_cast<uint32_t>(axis), {0, c.dims.range(extent).hi});
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

Result<> eval(EvalCtx& c) {
  const auto& attrs = c.attrs<CompressAttrs>();
  const TensorView& x = c.in(0);
  const Shape flat{x.count()};
  const Shape& shape = attrs.flat ? flat : x.shape;
  const Around around(shape, attrs.flat ? 0 : attrs.axis);
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < std::min(c.in(1).count(), around.extent); ++i)
    if (c.in(1).data<bool>()[i]) kept.push_back(i);
  Shape result = shape;
  result[attrs.flat ? 0 : static_cast<size_t>(attrs.axis)] = static_cast<int64_t>(kept.size());
  const TensorView y = TRY(found_extents(c, 0, result));
  const int64_t row = around.inner * static_cast<int64_t>(size_of(x.dtype));
  std::byte* to = y.bytes;
  for (int64_t outer = 0; outer < around.outer; ++outer)
    for (int64_t i : kept) to = std::copy_n(x.bytes + (outer * around.extent + i) * row, row, to);
  return {};
}

}  // namespace

extern const OpDef op_compress;
const OpDef op_compress = {
    .name = "Compress", .attrs = &attr_schema<CompressAttrs>, .import = import, .infer = infer, .eval = eval};

}  // namespace burnish
