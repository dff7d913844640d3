#include "ops/elements.h"

namespace burnish {

namespace {

struct GatherAttrs {
  int64_t axis = 0;
  BURNISH_REFLECT(GatherAttrs, axis)
};

Result<> infer_content(InferCtx& c) {
  const auto *data = c.content(0), *indices = c.content(1);
  if (!data || !indices || c.rank(0) != 1) return {};
  std::vector<Dim> picked;
  const auto count = static_cast<int64_t>(data->size());
  for (Dim d : *indices) {
    const auto index = c.dims.value(d);
    if (!index) return {};
    if (*index < -count || *index >= count)
      return c.error("index " + std::to_string(*index) + " is outside an axis of extent " + std::to_string(count));
    picked.push_back((*data)[static_cast<size_t>(*index < 0 ? *index + count : *index)]);
  }
  c.out_content(0, std::move(picked));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const int64_t axis = TRY(c.axis(c.attrs<GatherAttrs>().axis, c.rank(0)));
  if (axis != c.attrs<GatherAttrs>().axis) c.node.attrs = GatherAttrs{axis};
  if (c.in(1).dtype != DType::i64 && c.in(1).dtype != DType::i32) return c.error("indices must be int64 or int32");
  std::vector<Dim> shape = c.shape(0);
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, c.shape(1).begin(), c.shape(1).end());
  c.out(0, c.in(0).dtype, std::move(shape));
  return infer_content(c);
}

Result<> eval(EvalCtx& c) {
  const Around around(c.in(0).shape, c.attrs<GatherAttrs>().axis);
  std::vector<int64_t> indices = integers_of(c.in(1));
  for (int64_t& index : indices) index = TRY(checked_index(c, index, around.extent));
  const auto count = static_cast<int64_t>(indices.size());
  const int64_t row = around.inner * static_cast<int64_t>(size_of(c.in(0).dtype));
  c.pool.parallel_for(around.outer * count, (1 << 16) / (row + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const int64_t from = k / count * around.extent + indices[static_cast<size_t>(k % count)];
      std::copy_n(c.in(0).bytes + from * row, row, c.out(0).bytes + k * row);
    }
  });
  return {};
}

}  // namespace

extern const OpDef op_gather;
const OpDef op_gather = {.name = "Gather", .attrs = &attr_schema<GatherAttrs>, .infer = infer, .eval = eval};

}  // namespace burnish
