#include <algorithm>

#include "base/strided.h"
#include "ir/op.h"
#include "ops/product.h"
#include "ops/product_kernel.h"

namespace burnish {

namespace {

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 2));
  if (c.in(0).dtype != c.in(1).dtype)
    return c.error("operands are of different types, " + std::string(name_of(c.in(0).dtype)) + " and " +
                   std::string(name_of(c.in(1).dtype)));
  if (!is_product_type(c.in(0).dtype))
    return c.error("is not defined on " + std::string(name_of(c.in(0).dtype)));
  std::vector<Dim> a = c.shape(0), b = c.shape(1);
  if (a.empty() || b.empty()) return c.error("operands must have at least one axis");
  const bool a_vector = a.size() == 1, b_vector = b.size() == 1;
  TRY(c.unify(a.back(), b_vector ? b[0] : b[b.size() - 2], "the inner extents of the product must be equal"));
  std::vector<Dim> tail;
  if (!a_vector) tail.push_back(a[a.size() - 2]);
  if (!b_vector) tail.push_back(b.back());
  a.resize(a.size() - (a_vector ? 1 : 2));
  b.resize(b.size() - (b_vector ? 1 : 2));
  std::vector<Dim> shape = TRY(c.broadcast(a, b));
  shape.insert(shape.end(), tail.begin(), tail.end());
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

// One operand: matrices in a batch; a batch axis of extent 1 is read again and again.
struct Batch {
  Shape shape;
  std::vector<int64_t> strides;
  int64_t rows, columns;
  int64_t offset(std::span<const int64_t> batch_shape, int64_t index) const {
    int64_t at = 0;
    for (size_t k = 0; k < batch_shape.size(); ++k) {
      const size_t axis = batch_shape.size() - 1 - k;
      if (k < shape.size() && shape[shape.size() - 1 - k] != 1)
        at += index % batch_shape[axis] * strides[shape.size() - 1 - k];
      index /= batch_shape[axis];
    }
    return at * rows * columns;
  }
};

Batch batch_of(const TensorView& x, bool row_vector) {
  const bool vector = x.rank() == 1;
  Shape shape(x.shape.begin(), x.shape.end() - (vector ? 1 : 2));
  std::vector<int64_t> strides = dense_strides(std::span<const int64_t>(shape));
  const int64_t last = x.shape.back(), before = vector ? 1 : x.shape[x.shape.size() - 2];
  return {std::move(shape), std::move(strides), vector && !row_vector ? last : before,
          vector && !row_vector ? 1 : last};
}

template <class T>
void run(EvalCtx& c) {
  const Batch a = batch_of(c.in(0), true), b = batch_of(c.in(1), false);
  TensorView& y = c.out(0);
  const T *x = c.in(0).data<T>(), *w = c.in(1).data<T>();
  const size_t tail = (c.in(0).rank() > 1) + (c.in(1).rank() > 1);
  const std::span<const int64_t> batch(y.shape.data(), y.shape.size() - tail);
  int64_t count = element_count(batch), m = a.rows;
  const int64_t n = b.columns, k = a.columns;
  if (element_count(b.shape) == 1 &&
      element_count(a.shape) == count) {  // one matrix for all: one tall product
    m *= count;
    count = count == 0 ? 0 : 1;
  }
  auto one = [&](int64_t i) {
    product<T>(c.pool, m, n, k, {x + a.offset(batch, i), k, 1}, {w + b.offset(batch, i), n, 1},
               y.data<T>() + i * m * n, n);
  };
  if (count >= 2 * c.pool.size())
    c.pool.parallel_for(count, (1 << 14) / (m * n * k + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) one(i);
    });
  else
    for (int64_t i = 0; i < count; ++i) one(i);
}

Result<> eval(EvalCtx& c) {
  visit_product_type(c.in(0).dtype, [&]<class T>(T*) { run<T>(c); });
  return {};
}

}  // namespace

namespace {

/// Where one matrix B serves all batches, axes of A are as good as its rows: those that it walks evenly, in the order of its
/// memory, become the rows m, the rest batches. `axes` are the batches' and the rows'.
void rows_from_batches(DimTable& dims, std::span<const Dim> axes, ContractionProblem& p, MatrixView& left,
                       EpilogueForm& end) {
  struct Axis {
    size_t of;  // the result
    Dim extent, stride;
  };
  std::vector<Axis> inner;
  for (size_t k = 0; k < axes.size(); ++k)
    if (!dims.is_constant(axes[k], 1))
      inner.push_back({k, axes[k], k + 1 < axes.size() ? left.batch[5 - axes.size() + k] : left.stride_mn});
  std::ranges::reverse(inner);
  std::ranges::stable_sort(inner, {}, [&](const Axis& axis) { return dims.range(axis.stride).hi; });
  p.m = dims.constant(1);
  p.batch.fill(dims.constant(1));
  left.batch.fill(dims.constant(0));
  size_t batches = 0;
  for (const Axis& axis : inner) {
    KernelText text;
    if (dims.is_constant(p.m, 1)) left.stride_mn = axis.stride;
    if (batches == 0 && axis.stride == dims.mul(left.stride_mn, p.m)) {
      text << "m / (int)" << p.m << " % (int)" << axis.extent;
      p.m = dims.mul(p.m, axis.extent);
    } else {
      const size_t slot = 3 - batches++;
      text << std::string_view("b" + std::to_string(slot));
      p.batch[slot] = axis.extent;
      left.batch[slot] = axis.stride;
    }
    end.coordinates[axis.of] = std::move(text);
  }
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const DType dtype = ctx.in(0).dtype;
  if (Verdict v = product_type_verdict(dtype); !v) return v;
  const std::vector<Dim>&a = ctx.in(0).shape, &b = ctx.in(1).shape, &y = ctx.out(0).shape;
  const bool row = a.size() > 1, column = b.size() > 1;
  if (!column) return Verdict::no("the product with a vector");
  const size_t batch_rank = y.size() - row - column;
  if (batch_rank > 4) return Verdict::no("more than four batch axes");
  const std::span<const Dim> batch = std::span(y).first(batch_rank);
  MatrixView left = matrix_view(ctx, 0, true, batch), right = matrix_view(ctx, 1, false, batch);
  ContractionProblem p{
      row ? a[a.size() - 2] : dims.constant(1), column ? b.back() : dims.constant(1), a.back(), {}};
  p.batch.fill(dims.constant(1));
  for (size_t k = 0; k < batch_rank; ++k) p.batch[4 - batch_rank + k] = batch[k];
  EpilogueForm end{.column_axis = y.size() - 1, .column_step = 8, .captures = {"b0", "b1", "b2", "b3"}};
  for (size_t k = 0; k < batch_rank; ++k)
    end.coordinates.emplace_back() << std::string_view("b" + std::to_string(4 - batch_rank + k));
  if (row) end.coordinates.emplace_back() << "m";
  if (column) end.coordinates.emplace_back() << "n";
  if (row && b.size() == 2) rows_from_batches(dims, std::span(y).first(batch_rank + 1), p, left, end);
  repack_constant(ctx, 1, right);
  p.copy_bytes = std::min(copy_bytes(dims, left), copy_bytes(dims, right));
  p.b_along_k = dims.is_constant(right.stride_k, 1);
  KernelText operands;
  define_matrix(operands, dims, "a", left);
  define_matrix(operands, dims, "b", right);
  add_contraction(ctx, p, dtype, operands, end, "providers/nvrtc/device/contraction_matrix.cuh");
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_mat_mul;
const OpDef op_mat_mul = {.name = "MatMul", .infer = infer, .eval = eval, .kernel = kernel};

}  // namespace burnish
