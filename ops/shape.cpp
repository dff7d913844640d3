#include <limits>

#include "ops/elements.h"

namespace burnish {

namespace {

constexpr int64_t last = std::numeric_limits<int64_t>::max();

struct ShapeAttrs {
  int64_t start = 0, end = last;
  BURNISH_REFLECT(ShapeAttrs, start, end)
};

std::pair<size_t, size_t> window(const ShapeAttrs& attrs, size_t rank) {
  const auto n = static_cast<int64_t>(rank);
  const int64_t start = std::clamp<int64_t>(attrs.start < 0 ? attrs.start + n : attrs.start, 0, n);
  const int64_t end = std::clamp<int64_t>(attrs.end < 0 ? attrs.end + n : attrs.end, start, n);
  return {static_cast<size_t>(start), static_cast<size_t>(end)};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  const auto [start, end] = window(c.attrs<ShapeAttrs>(), c.shape(0).size());
  const std::vector<Dim> content(c.shape(0).begin() + static_cast<int64_t>(start),
                                 c.shape(0).begin() + static_cast<int64_t>(end));
  c.out(0, DType::i64, {c.dims.constant(static_cast<int64_t>(content.size()))});
  c.out_content(0, content);
  return {};
}

Result<> eval(EvalCtx& c) {
  const auto [start, end] = window(c.attrs<ShapeAttrs>(), c.in(0).shape.size());
  for (size_t i = start; i < end; ++i) c.out(0).data<int64_t>()[i - start] = c.in(0).shape[i];
  return {};
}

}  // namespace

extern const OpDef op_shape;
const OpDef op_shape = {.name = "Shape", .attrs = &attr_schema<ShapeAttrs>, .infer = infer, .eval = eval};

}  // namespace burnish
