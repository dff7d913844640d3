#include <numeric>

#include "ops/elements.h"
#include "ops/kernel_axes.h"

namespace burnish {

namespace {

struct TopKAttrs {
  int64_t axis = -1;
  bool largest = true, sorted = true;
  BURNISH_REFLECT(TopKAttrs, axis, largest, sorted)
};

// k is an attribute before opset 10.
Result<> import(ImportCtx& c) {
  const TopKAttrs attrs{TRY(c.integer("axis", -1)), TRY(c.integer("largest", 1)) != 0,
                        TRY(c.integer("sorted", 1)) != 0};
  const ValueId k = c.opset() < 10 ? c.constant_integers({TRY(c.integer("k", {}))}) : c.input(1);
  const std::vector<ValueId> made = TRY(c.emit("TopK", attrs, {c.input(0), k}, 2));
  for (size_t i = 0; i < 2; ++i) c.bind(i, made[i]);
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  const auto& attrs = c.attrs<TopKAttrs>();
  const int64_t axis = TRY(c.axis(attrs.axis, c.rank(0)));
  if (axis != attrs.axis) c.node.attrs = TopKAttrs{axis, attrs.largest, attrs.sorted};
  const std::vector<Dim> k = TRY(c.content_or_symbols(1));
  if (k.size() != 1) return c.error("k must be one integer");
  std::vector<Dim> shape = c.shape(0);
  Dim& extent = shape[static_cast<size_t>(axis)];
  if (c.dims.range(k[0]).hi < 0 || c.dims.range(c.dims.sub(extent, k[0])).hi < 0)
    return c.error("k is " + c.dims.text(k[0]) + ", axis " + std::to_string(axis) + " has extent " +
                   c.dims.text(extent));
  extent = k[0];
  c.out(0, c.in(0).dtype, shape);
  c.out(1, DType::i64, shape);
  return {};
}

// a before b. NaN counts as greater than every number; of equals the first comes first.
template <class T>
bool before(T a, T b, int64_t i, int64_t j, bool largest) {
  const bool a_nan = a != a, b_nan = b != b;
  const bool greater = a_nan ? !b_nan : !b_nan && a > b, less = b_nan ? !a_nan : !a_nan && a < b;
  if (greater || less) return largest ? greater : less;
  return i < j;
}

Result<> eval(EvalCtx& c) {
  const TensorView& x = c.in(0);
  const auto& attrs = c.attrs<TopKAttrs>();
  const Around around(x.shape, attrs.axis);
  const int64_t k = integer_element(c.in(1).dtype, c.in(1).bytes, 0);
  if (k < 0 || k > around.extent)
    return c.error("k is " + std::to_string(k) + ", the axis has extent " + std::to_string(around.extent));
  return visit_arithmetic(x.dtype, [&]<class T>(T*) {
    c.pool.parallel_for(
        around.outer * around.inner, 4096 / (around.extent + 1) + 1, [&](int64_t begin, int64_t end) {
          std::vector<int64_t> order(static_cast<size_t>(around.extent));
          for (int64_t line = begin; line < end; ++line) {
            const int64_t outer = line / around.inner, inner = line % around.inner;
            const T* from = x.data<T>() + outer * around.extent * around.inner + inner;
            std::iota(order.begin(), order.end(), 0);
            std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int64_t i, int64_t j) {
              return before(from[i * around.inner], from[j * around.inner], i, j, attrs.largest);
            });
            for (int64_t i = 0; i < k; ++i) {
              const int64_t to = (outer * k + i) * around.inner + inner,
                            index = order[static_cast<size_t>(i)];
              if (c.wants(0)) c.out(0).template data<T>()[to] = from[index * around.inner];
              if (c.wants(1)) c.out(1).template data<int64_t>()[to] = index;
            }
          }
        });
  });
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const auto& attrs = ctx.attrs<TopKAttrs>();
  const auto axis = static_cast<size_t>(attrs.axis);
  const auto k = dims.value(ctx.out(ctx.wants(0) ? 0 : 1).shape[axis]);
  if (!k) return Verdict::no("k is not known when the engine is built");
  const std::span<const Dim> x = ctx.in_strides(0), y = ctx.out_strides(ctx.wants(0) ? 0 : 1);
  if (ctx.wants(0) && ctx.wants(1) && !std::equal(y.begin(), y.end(), ctx.out_strides(1).begin()))
    return Verdict::no("values and indices are stored in different orders");
  KernelAxes all(2);
  for (size_t a = 0; a < x.size(); ++a)
    if (a != axis) all.add(ctx.in(0).shape[a], {x[a], y[a]});
  const KernelAxes lines = collapsed(dims, all);
  const Dim length = ctx.in(0).shape[axis], count = dims.product(lines.extents);
  const Dim results = dims.mul(count, dims.constant(*k));
  const OperandPointer values = ctx.wants(0) ? ctx.out_pointer(0) : ctx.scratch(ctx.in(0).dtype, results);
  const OperandPointer indices = ctx.wants(1) ? ctx.out_pointer(1) : ctx.scratch(DType::i64, results);

  // Up to `most_shared` results are sorted in shared memory, more in scratch memory that each block has a
  // part of.
  constexpr int64_t most_shared = 2048, most_blocks = 256;
  const int64_t padded = power_of_two_from(*k),
                capacity = std::min(std::max<int64_t>(padded, 2), most_shared);
  const int threads = ctx.usual(length) >= 4096 ? 1024 : 256;
  KernelCall call{.headers = {"ops/top_k/top_k.cuh"}};
  set_launch(dims, call, count, 1, threads);
  KernelText scratch;
  if (padded <= capacity) {
    scratch << "(void*)nullptr";
  } else {
    call.grid[0] = dims.min(call.grid[0], dims.constant(most_blocks));
    const int64_t words = padded * (size_of(ctx.in(0).dtype) > 4 ? 2 : 1);
    scratch << "(void*)" << ctx.scratch(DType::i64, dims.mul(call.grid[0], dims.constant(words)));
  }
  call.body << "top_k<" << (attrs.largest ? "true, " : "false, ") << std::to_string(threads) << ", "
            << std::to_string(capacity) << ">(" << ctx.in_pointer(0) << ", " << values << ", " << indices
            << ", " << scratch << ", " << dims_text(lines.extents, index_type(dims, count)) << ", "
            << dims_text(lines.strides[0]) << ", " << dims_text(lines.strides[1]) << ", " << length << ", "
            << x[axis] << ", " << *k << ", " << y[axis] << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_top_k;
const OpDef op_top_k = {.name = "TopK",
                        .attrs = &attr_schema<TopKAttrs>,
                        .import = import,
                        .infer = infer,
                        .eval = eval,
                        .kernel = kernel,
                        .content_operands = 0b10};

}  // namespace burnish
