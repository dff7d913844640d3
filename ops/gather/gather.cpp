#include "ops/elements.h"
#include "ops/kernel_axes.h"

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
      return c.error("index " + std::to_string(*index) + " is outside an axis of extent " +
                     std::to_string(count));
    picked.push_back((*data)[static_cast<size_t>(*index < 0 ? *index + count : *index)]);
  }
  c.out_content(0, std::move(picked));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const int64_t axis = TRY(c.axis(c.attrs<GatherAttrs>().axis, c.rank(0)));
  if (axis != c.attrs<GatherAttrs>().axis) c.node.attrs = GatherAttrs{axis};
  if (c.in(1).dtype != DType::i64 && c.in(1).dtype != DType::i32)
    return c.error("indices must be int64 or int32");
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

// One index that is known: a window of the data without that axis.
bool view(ViewCtx& c) {
  const auto* index = c.content(1);
  if (!index || !c.graph.values[c.node.inputs[1]].type.shape.empty()) return false;
  const auto axis = static_cast<size_t>(c.attrs<GatherAttrs>().axis);
  const auto at = c.dims.value(index->front()), extent = c.dims.value(c.in_shape[axis]);
  if (!at || !extent || *at < -*extent || *at >= *extent) return false;
  const Dim from = c.dims.constant(*at < 0 ? *at + *extent : *at);
  c.out[0] = {c.dims.add(c.in.offset, c.dims.mul(from, c.in.strides[axis])), c.in.strides};
  c.out[0].strides.erase(c.out[0].strides.begin() + static_cast<int64_t>(axis));
  return true;
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const std::vector<Dim>&data = ctx.in(0).shape, &indices = ctx.in(1).shape;
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(0);
  const auto axis = static_cast<size_t>(ctx.attrs<GatherAttrs>().axis);
  KernelAxes all_outer(2), all_picked(2), all_inner(2);
  for (size_t a = 0; a < axis; ++a) all_outer.add(data[a], {x[a], y[a]});
  for (size_t a = 0; a < indices.size(); ++a) all_picked.add(indices[a], {ctx.in_strides(1)[a], y[axis + a]});
  for (size_t a = axis + 1; a < data.size(); ++a) all_inner.add(data[a], {x[a], y[indices.size() + a - 1]});
  const KernelAxes outer = collapsed(dims, all_outer), picked = collapsed(dims, all_picked);
  KernelAxes inner = collapsed(dims, all_inner);

  // Words along the inner axis, if every other step of both tensors is a multiple of them.
  const auto size = static_cast<int64_t>(size_of(ctx.in(0).dtype));
  int64_t n = access_bytes(dims, inner, size, {ctx.in_alignment(0), ctx.out_alignment(0)}) / size;
  auto allows = [&] {
    bool all = divisible(dims, x[axis], n);
    for (const std::vector<Dim>* strides : {&outer.strides[0], &outer.strides[1], &picked.strides[1]})
      for (Dim d : *strides) all = all && divisible(dims, d, n);
    return all;
  };
  while (n > 1 && !allows()) n /= 2;
  inner = in_units(dims, std::move(inner), n);
  auto words = [&](std::vector<Dim> strides) {
    for (Dim& d : strides) d = dims.floor_div(d, dims.constant(n));
    return strides;
  };
  std::vector<Dim> y_strides = words(outer.strides[1]), x_outer = words(outer.strides[0]);
  for (Dim d : words(picked.strides[1])) y_strides.push_back(d);
  y_strides.insert(y_strides.end(), inner.strides[1].begin(), inner.strides[1].end());
  const Dim total = dims.floor_div(dims.product(ctx.out(0).shape), dims.constant(n));
  const std::string index = index_type(dims, total);

  KernelCall call{.headers = {"ops/gather/gather.cuh"}};
  set_launch(dims, call, total, 256, 256);
  call.body << "gather(" << word_pointer(ctx.in_pointer(0), n * size, true) << ", " << ctx.in_pointer(1)
            << ", " << word_pointer(ctx.out_pointer(0), n * size, false) << ", "
            << dims_text(outer.extents, index) << ", " << dims_text(x_outer) << ", " << data[axis] << ", "
            << dims.floor_div(x[axis], dims.constant(n)) << ", " << dims_text(picked.extents, index) << ", "
            << dims_text(picked.strides[0]) << ", " << dims_text(inner.extents, index) << ", "
            << dims_text(inner.strides[0]) << ", " << dims_text(y_strides) << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_gather;
const OpDef op_gather = {.name = "Gather",
                         .attrs = &attr_schema<GatherAttrs>,
                         .infer = infer,
                         .eval = eval,
                         .view = view,
                         .kernel = kernel};

}  // namespace burnish
