#include <set>

#include "base/strided.h"
#include "ops/scatter.h"
#include "ops/scatter_kernel.h"

namespace burnish {

namespace {

struct ScatterNDAttrs {
  std::string reduction = "none";
  BURNISH_REFLECT(ScatterNDAttrs, reduction)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  TRY(check_reduction(c, c.attrs<ScatterNDAttrs>().reduction));
  if (c.in(2).dtype != c.in(0).dtype) return c.error("updates and data are of different types");
  const std::vector<Dim>&data = c.shape(0), &indices = c.shape(1), &updates = c.shape(2);
  if (indices.empty()) return c.error("indices need at least one axis");
  const auto depth = c.dims.value(indices.back());
  if (!depth)
    return c.error("the last extent of the indices, " + c.dims.text(indices.back()) +
                   ", must be known when the engine is built");
  std::vector<Dim> wanted(indices.begin(), indices.end() - 1);
  if (*depth <= c.rank(0)) wanted.insert(wanted.end(), data.begin() + *depth, data.end());
  if (*depth > c.rank(0) || wanted.size() != updates.size())
    return c.error("indices of shape " + c.dims.text(indices) + " and updates of shape " +
                   c.dims.text(updates) + " do not fit data of shape " + c.dims.text(data));
  for (size_t i = 0; i < wanted.size(); ++i)
    TRY(c.unify(wanted[i], updates[i],
                "axis " + std::to_string(i) + " of the updates must fit indices and data"));
  c.out(0, c.in(0));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView &at = c.in(1), &updates = c.in(2), &y = c.out(0);
  TRY(eval_copy(c));
  const int64_t depth = at.shape.back(),
                tuples = element_count(std::span(at.shape).first(at.shape.size() - 1));
  const std::vector<int64_t> strides = dense_strides(y.shape);
  const int64_t row = element_count(std::span(y.shape).subspan(static_cast<size_t>(depth)));
  std::vector<int64_t> to(static_cast<size_t>(tuples));
  for (int64_t k = 0; k < tuples; ++k)
    for (int64_t j = 0; j < depth; ++j) {
      const auto axis = static_cast<size_t>(j);
      to[static_cast<size_t>(k)] +=
          strides[axis] *
          TRY(checked_index(c, integer_element(at.dtype, at.bytes, k * depth + j), y.shape[axis]));
    }
  return visit_arithmetic(y.dtype, [&]<class T>(T*) {
    with_join<T>(c.attrs<ScatterNDAttrs>().reduction, [&](auto join) {
      for (int64_t k = 0; k < tuples; ++k) {  // in order: the last of two updates to one place counts
        T* place = y.data<T>() + to[static_cast<size_t>(k)];
        const T* update = updates.data<T>() + k * row;
        for (int64_t i = 0; i < row; ++i) place[i] = join(place[i], update[i]);
      }
    });
  });
}

// No two tuples of the constant indices name the same place.
bool all_distinct(const KernelCtx& ctx, int64_t depth) {
  const Tensor* indices = ctx.constant_operand(1);
  if (!indices) return false;
  std::set<std::vector<int64_t>> seen;
  std::vector<int64_t> tuple(static_cast<size_t>(depth));
  for (int64_t k = 0; k < indices->count() / std::max<int64_t>(depth, 1); ++k) {
    for (int64_t j = 0; j < depth; ++j) {
      int64_t& index = tuple[static_cast<size_t>(j)];
      index = integer_element(*indices, k * depth + j);
      const auto extent = ctx.dims.value(ctx.in(0).shape[static_cast<size_t>(j)]);
      if (index < 0 && !extent) return false;
      if (index < 0) index += *extent;
    }
    if (!seen.insert(tuple).second) return false;
  }
  return true;
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const std::vector<Dim>&data = ctx.in(0).shape, &indices = ctx.in(1).shape;
  const std::span<const Dim> at = ctx.in_strides(1), updates = ctx.in_strides(2), y = ctx.out_strides(0);
  const size_t last = indices.size() - 1;
  const auto depth = static_cast<size_t>(*dims.value(indices.back()));
  KernelAxes all_picked(2), all_inner(2);
  for (size_t a = 0; a < last; ++a) all_picked.add(indices[a], {at[a], updates[a]});
  for (size_t a = depth; a < data.size(); ++a) all_inner.add(data[a], {y[a], updates[last + a - depth]});
  const KernelAxes picked = collapsed(dims, all_picked), inner = collapsed(dims, all_inner);
  const Dim tuples = dims.product(picked.extents), elements = dims.product(inner.extents);
  const std::string index = index_type(dims, dims.max(dims.mul(tuples, elements), dims.product(data)));
  const bool distinct = all_distinct(ctx, static_cast<int64_t>(depth));
  const int64_t partitions = distinct ? 1 : scatter_partitions(ctx, elements);

  copy_data(ctx);
  KernelCall call{.headers = {"ops/scatter_nd/scatter_nd.cuh"}};
  set_launch(dims, call, dims.mul(elements, distinct ? tuples : dims.constant(partitions)), 128, 128);
  call.body << "scatter_nd<" << scatter_functor(ctx.attrs<ScatterNDAttrs>().reduction)
            << (distinct ? ", true>(" : ", false>(") << ctx.out_pointer(0) << ", " << ctx.in_pointer(1)
            << ", " << ctx.in_pointer(2) << ", " << dims_text(picked.extents, index) << ", "
            << dims_text(picked.strides[0]) << ", " << at[last] << ", " << dims_text(picked.strides[1])
            << ", " << dims_text(std::span(data).first(depth)) << ", " << dims_text(y.first(depth)) << ", "
            << dims_text(inner.extents, index) << ", " << dims_text(inner.strides[0]) << ", "
            << dims_text(inner.strides[1]) << ", " << partitions << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_scatter_nd;
const OpDef op_scatter_nd = {.name = "ScatterND",
                             .attrs = &attr_schema<ScatterNDAttrs>,
                             .infer = infer,
                             .eval = eval,
                             .kernel = kernel};

}  // namespace burnish
