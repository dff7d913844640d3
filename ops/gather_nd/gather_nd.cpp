#include "base/strided.h"
#include "ops/elements.h"
#include "ops/kernel_axes.h"

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
    return c.error("the last extent of the indices, " + c.dims.text(indices.back()) +
                   ", must be known when the engine is built");
  if (batch < 0 || batch >= c.rank(1) || batch + *depth > c.rank(0) || *depth < 1)
    return c.error("indices of shape " + c.dims.text(indices) + " do not fit data of shape " +
                   c.dims.text(data) + " with " + std::to_string(batch) + " batch axes");
  for (size_t i = 0; i < static_cast<size_t>(batch); ++i)
    TRY(c.unify(data[i], indices[i],
                "batch axis " + std::to_string(i) + " of data and indices must be equal"));
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
      offset += strides[axis] *
                TRY(checked_index(c, integer_element(at.dtype, at.bytes, k * depth + j), x.shape[axis]));
    }
    from[static_cast<size_t>(k)] = offset * static_cast<int64_t>(size_of(x.dtype));
  }
  c.pool.parallel_for(tuples, (1 << 16) / (bytes + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k)
      std::copy_n(x.bytes + from[static_cast<size_t>(k)], bytes, c.out(0).bytes + k * bytes);
  });
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const std::vector<Dim>&data = ctx.in(0).shape, &indices = ctx.in(1).shape;
  const std::span<const Dim> x = ctx.in_strides(0), at = ctx.in_strides(1), y = ctx.out_strides(0);
  const auto batch = static_cast<size_t>(ctx.attrs<GatherNDAttrs>().batch_dims), last = indices.size() - 1;
  const auto depth = static_cast<size_t>(*dims.value(indices.back()));
  KernelAxes all_batches(3), all_picked(2), all_inner(2);
  for (size_t a = 0; a < batch; ++a) all_batches.add(data[a], {x[a], at[a], y[a]});
  for (size_t a = batch; a < last; ++a) all_picked.add(indices[a], {at[a], y[a]});
  for (size_t a = batch + depth; a < data.size(); ++a)
    all_inner.add(data[a], {x[a], y[last + a - batch - depth]});
  const KernelAxes batches = collapsed(dims, all_batches), picked = collapsed(dims, all_picked),
                   inner = collapsed(dims, all_inner);
  std::vector<Dim> y_strides = batches.strides[2];
  y_strides.insert(y_strides.end(), picked.strides[1].begin(), picked.strides[1].end());
  y_strides.insert(y_strides.end(), inner.strides[1].begin(), inner.strides[1].end());
  const Dim total = dims.product(ctx.out(0).shape);
  const std::string index = index_type(dims, total);
  const auto size = static_cast<int64_t>(size_of(ctx.in(0).dtype));

  KernelCall call{.headers = {"ops/gather_nd/gather_nd.cuh"}};
  set_launch(dims, call, total, 256, 256);
  call.body << "gather_nd(" << word_pointer(ctx.in_pointer(0), size, true) << ", " << ctx.in_pointer(1)
            << ", " << word_pointer(ctx.out_pointer(0), size, false) << ", "
            << dims_text(batches.extents, index) << ", " << dims_text(batches.strides[0]) << ", "
            << dims_text(batches.strides[1]) << ", " << dims_text(picked.extents, index) << ", "
            << dims_text(picked.strides[0]) << ", " << at[last] << ", "
            << dims_text(std::span(data).subspan(batch, depth)) << ", " << dims_text(x.subspan(batch, depth))
            << ", " << dims_text(inner.extents, index) << ", " << dims_text(inner.strides[0]) << ", "
            << dims_text(y_strides) << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_gather_nd;
const OpDef op_gather_nd = {
    .name = "GatherND", .attrs = &attr_schema<GatherNDAttrs>, .infer = infer, .eval = eval, .kernel = kernel};

}  // namespace burnish
