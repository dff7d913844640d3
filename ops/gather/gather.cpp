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

// One index, or several in even steps, that are known and certainly inside the axis.
bool view(ViewCtx& c) {
  const auto axis = static_cast<size_t>(c.attrs<GatherAttrs>().axis);
  const std::vector<Dim>* content = c.content(1);
  const size_t rank = c.graph.values[c.node.inputs[1]].type.shape.size();
  if (!content || content->empty() || rank > 1) return false;
  std::vector<int64_t> indices;
  const auto extent = c.dims.value(c.in_shape[axis]);
  for (Dim d : *content) {
    const auto index = c.dims.value(d);
    if (!index || (*index < 0 && !extent)) return false;
    indices.push_back(*index < 0 ? *index + *extent : *index);
    if (indices.back() < 0 || indices.back() >= c.dims.range(c.in_shape[axis]).lo) return false;
  }
  const int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
  for (size_t i = 1; i < indices.size(); ++i)
    if (indices[i] - indices[i - 1] != step) return false;
  const Dim stride = c.in.strides[axis];
  c.out[0] = {c.dims.add(c.in.offset, c.dims.mul(c.dims.constant(indices[0]), stride)), c.in.strides};
  std::vector<Dim>& strides = c.out[0].strides;
  if (rank == 1) strides[axis] = c.dims.mul(stride, c.dims.constant(step));
  else strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(axis));
  return true;
}

class GatherKernel {
 public:
  explicit GatherKernel(KernelCtx& ctx)
      : ctx_(ctx), dims_(ctx.dims), axis_(static_cast<size_t>(ctx.attrs<GatherAttrs>().axis)) {
    const std::vector<Dim>&data = ctx.in(0).shape, &indices = ctx.in(1).shape;
    const std::span<const Dim> x = ctx.in_strides(0), index = ctx.in_strides(1), y = ctx.out_strides(0);
    const Dim none = dims_.constant(0);
    KernelAxes all(3);
    for (size_t a = 0; a < axis_; ++a) all.add(data[a], {x[a], none, y[a]});
    for (size_t a = 0; a < indices.size(); ++a) all.add(indices[a], {none, index[a], y[axis_ + a]});
    for (size_t a = axis_ + 1; a < data.size(); ++a)
      all.add(data[a], {x[a], none, y[indices.size() + a - 1]});
    walk_ =
        ctx.fused ? all : collapsed(dims_, all);  // an epilogue knows the axes by their order in the shape
  }

  Verdict run() {
    if (ctx_.fused && (walk_.rank() == 0 || ctx_.in(0).dtype == DType::f64 || !is_float(ctx_.in(0).dtype)))
      return Verdict::no("epilogues compute in float, on tensors that have axes");
    const int64_t n = at_once();
    // Work that follows sees elements, the last axis in steps of n; a copy moves words.
    KernelAxes moved(2);
    for (size_t a = 0; a < walk_.rank(); ++a)
      moved.add(walk_.extents[a], {walk_.strides[0][a], walk_.strides[2][a]});
    if (ctx_.fused) step_last_axis(moved, n);
    else moved = in_units(dims_, std::move(moved), n);
    const Dim total = dims_.product(moved.extents), step = ctx_.in_strides(0)[axis_];
    const std::string index = index_type(dims_, dims_.mul(total, dims_.constant(n)));
    KernelCall call{.headers = {"ops/gather/gather.cuh"}};
    set_launch(dims_, call, total, 256, 256);
    KernelText picked;
    picked << "picked(" << ctx_.in_pointer(1) << ", " << dims_text(walk_.strides[1]) << ", "
           << dims_text(moved.strides[0]) << ", " << ctx_.in(0).shape[axis_] << ", "
           << (ctx_.fused ? step : dims_.floor_div(step, dims_.constant(n))) << ")";
    const KernelText extents = dims_text(moved.extents, index);
    if (ctx_.fused) {
      const Epilogue end = make_epilogue(ctx_, epilogue_form(n));
      call.prelude = end.prelude;
      call.body << "gather_rows<" + std::to_string(n) + ">(" << ctx_.in_pointer(0) << ", " << picked << ", "
                << extents << ", " << end.construct << ");\n";
    } else {
      const int64_t bytes = n * static_cast<int64_t>(size_of(ctx_.in(0).dtype));
      call.body << "gather(" << word_pointer(ctx_.in_pointer(0), bytes, true) << ", " << picked << ", "
                << word_pointer(ctx_.out_pointer(0), bytes, false) << ", " << extents << ", "
                << dims_text(moved.strides[1]) << ");\n";
    }
    ctx_.calls.push_back(std::move(call));
    return Verdict::yes();
  }

 private:
  /// Elements that lie together along the last axis wherever they are picked from; an epilogue sees to the result itself.
  int64_t at_once() const {
    const size_t rank = walk_.rank();
    if (rank == 0 || !dims_.is_constant(walk_.strides[1].back(), 0)) return 1;
    KernelAxes together(ctx_.fused ? 1 : 2);
    together.extents = walk_.extents;
    together.strides[0] = walk_.strides[0];
    if (!ctx_.fused) together.strides[1] = walk_.strides[2];
    const auto size = static_cast<int64_t>(size_of(ctx_.in(0).dtype));
    const int64_t alignment =
        ctx_.fused ? ctx_.in_alignment(0) : std::min(ctx_.in_alignment(0), ctx_.out_alignment(0));
    int64_t n = access_bytes(dims_, together, size, {alignment}) / size;
    while (n > 1 && !divisible(dims_, ctx_.in_strides(0)[axis_], n)) n /= 2;
    return n;
  }

  void step_last_axis(KernelAxes& axes, int64_t n) const {
    const Dim step = dims_.constant(n);
    axes.extents.back() = dims_.floor_div(axes.extents.back(), step);
    for (std::vector<Dim>& strides : axes.strides) strides.back() = dims_.mul(strides.back(), step);
  }

  EpilogueForm epilogue_form(int64_t n) const {
    EpilogueForm form{.column_axis = walk_.rank() - 1, .column_step = static_cast<int>(n)};
    for (size_t a = 0; a + 1 < walk_.rank(); ++a) {
      const std::span<const Dim> extents = walk_.extents;
      KernelText at;
      at << "m / (int)" << dims_.product(extents.subspan(a + 1, walk_.rank() - a - 2)) << " % (int)"
         << extents[a];
      form.coordinates.push_back(std::move(at));
      form.rows.push_back(a);
    }
    KernelText column;
    form.coordinates.push_back(column << "n");
    return form;
  }

  KernelCtx& ctx_;
  DimTable& dims_;
  const size_t axis_;
  KernelAxes walk_{3};  // of what is picked from, the indices, and the result
};

Verdict kernel(KernelCtx& ctx) { return GatherKernel(ctx).run(); }

}  // namespace

extern const OpDef op_gather;
const OpDef op_gather = {.name = "Gather",
                         .attrs = &attr_schema<GatherAttrs>,
                         .infer = infer,
                         .eval = eval,
                         .view = view,
                         .kernel = kernel,
                         .epilogue = true};

}  // namespace burnish
