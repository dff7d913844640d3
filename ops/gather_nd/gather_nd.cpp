#include "base/strided.h"
#include "ops/elements.h"

namespace burnish {

namespace {

struct GatherNDAttrs {
  int64_t batch_dims = 0;
  BURNISH_REFLECT(GatherNDAttrs, batch_dims)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const int64_t batch = c.attrs<GatherNDAttrs>().batch_dims;
  const std::vector<Dim>&data = c.shape(0), &indices = c.shape(1);
  if (indices.empty() || data.empty()) return c.error("data and indices need at least one axis");
  const auto depth = c.dims.value(indices.back());
  if (!depth)
    return c.error("the last extent of the indices, " + c.dims.text(indices.back()) + ", must be known when the engine is built");
  if (batch < 0 || batch >= c.rank(1) || batch + *depth > c.rank(0) || *depth < 1)
    return c.error("indices of shape " + c.dims.text(indices) + " do not fit data of shape " + c.dims.text(data) +
                   " with " + std::to_string(batch) + " batch axes");
  for (size_t i = 0; i < static_cast<size_t>(batch); ++i)
    TRY(c.unify(data[i], indices[i], "batch axis " + std::to_string(i) + " of data and indices must be equal"));
  std::vector<Dim> shape(indices.begin(), indices.end() - 1);
  shape.insert(shape.end(), data.begin() + batch + *depth, data.end());
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView &x = c.in(0), &at = c.in(1);
  const auto batch = static_cast<size_t>(c.attrs<GatherNDAttrs>().batch_dims);
  const int64_t depth = at.shape.back(), tuples = at.count() / std::max<int64_t>(depth, 1);
  const std::vector<int64_t> strides = dense_strides(x.shape);
  const int64_t batches = element_count(std::span(at.shape).first(batch));
  const int64_t per_batch = tuples / std::max<int64_t>(batches, 1);
  const int64_t row = element_count(std::span(x.shape).subspan(batch + static_cast<size_t>(depth)));
  const int64_t batch_stride = element_count(std::span(x.shape).subspan(batch));
  const int64_t bytes = row * static_cast<int64_t>(size_of(x.dtype));
  std::vector<int64_t> from(static_cast<size_t>(tuples));
  for (int64_t k = 0; k < tuples; ++k) {
    int64_t offset = k / per_batch * batch_stride;
    for (int64_t j = 0; j < depth; ++j) {
      const auto axis = batch + static_cast<size_t>(j);
      offset += strides[axis] * TRY(checked_index(c, integer_element(at.dtype, at.bytes, k * depth + j), x.shape[axis]));
    }
    from[static_cast<size_t>(k)] = offset * static_cast<int64_t>(size_of(x.dtype));
  }
  c.pool.parallel_for(tuples, (1 << 16) / (bytes + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k)
      std::copy_n(x.bytes + from[static_cast<size_t>(k)], bytes, c.out(0).bytes + k * bytes);
  });
  return {};
}

}  // namespace

extern const OpDef op_gather_nd;
const OpDef op_gather_nd = {
    .name = "GatherND", .attrs = &attr_schema<GatherNDAttrs>, .infer = infer, .eval = eval};

}  // namespace burnish
