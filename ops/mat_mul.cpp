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

/// An axis of the result that only A has, and A's stride along it.
struct RowAxis {
  size_t axis;
  Dim extent, stride;
};

/// The longest sequence of `axes`, outermost first, that A walks evenly: together they are the rows of one matrix.
std::vector<RowAxis> even_rows(KernelCtx& ctx, std::vector<RowAxis> axes) {
  DimTable& dims = ctx.dims;
  std::erase_if(axes, [&](const RowAxis& a) { return dims.is_constant(a.extent, 1); });
  std::stable_sort(axes.begin(), axes.end(), [&](const RowAxis& a, const RowAxis& b) {
    return ctx.usual(a.stride) > ctx.usual(b.stride);
  });
  std::vector<RowAxis> best;
  int64_t most = 0;
  for (size_t first = 0, end = 0; first < axes.size(); first = end) {
    int64_t count = ctx.usual(axes[first].extent);
    for (end = first + 1; end < axes.size(); ++end) {
      if (axes[end - 1].stride != dims.mul(axes[end].stride, axes[end].extent)) break;
      count *= ctx.usual(axes[end].extent);
    }
    if (count <= most) continue;
    most = count;
    best.assign(axes.begin() + static_cast<int64_t>(first), axes.begin() + static_cast<int64_t>(end));
  }
  return best;
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const DType dtype = ctx.in(0).dtype;
  if (Verdict v = product_type_verdict(dtype); !v) return v;
  if (ctx.normalization && !copies_rows(ctx))
    if (Verdict v = ctx.normalize_first(); !v) return v;
  const std::vector<Dim>&a = ctx.in(0).shape, &b = ctx.in(1).shape, &y = ctx.out(0).shape;
  const bool row = a.size() > 1, column = b.size() > 1;
  if (!column) return Verdict::no("the product with a vector");
  const size_t batch_rank = y.size() - row - column;
  if (batch_rank > 4) return Verdict::no("more than four batch axes");
  MatrixView left = matrix_view(ctx, 0, true, std::span(y).first(batch_rank)),
             right = matrix_view(ctx, 1, false, std::span(y).first(batch_rank));
  std::vector<RowAxis> axes;
  for (size_t k = 0; k < batch_rank; ++k) axes.push_back({k, y[k], left.batch[4 - batch_rank + k]});
  if (row) axes.push_back({batch_rank, a[a.size() - 2], left.stride_mn});
  std::vector<RowAxis> rows;
  if (row && b.size() == 2) rows = even_rows(ctx, axes);  // one matrix for all
  else if (row) rows = {axes.back()};
  const auto counted =
      std::ranges::count_if(axes, [&](const RowAxis& a) { return !dims.is_constant(a.extent, 1); });
  if (ctx.normalization &&
      std::ssize(rows) < counted) {  // no one matrix: not to be normalised as it is multiplied
    if (Verdict v = ctx.normalize_first(); !v) return v;
    return kernel(ctx);
  }

  EpilogueForm end{.column_axis = y.size() - 1, .column_step = 8};
  end.coordinates.resize(axes.size());
  for (const RowAxis& r : rows) end.rows.push_back(r.axis);
  ContractionProblem p{dims.constant(1), b.back(), a.back(), {}};
  for (size_t k = rows.size(); k-- > 0;) {
    KernelText& text = end.coordinates[rows[k].axis] << "m";
    if (k + 1 < rows.size()) text << " / (int)" << p.m;
    if (k > 0) text << " % (int)" << rows[k].extent;
    p.m = dims.mul(p.m, rows[k].extent);
  }
  if (!rows.empty()) left.stride_mn = rows.back().stride;
  const std::array<Dim, 4> right_batch = right.batch;
  p.batch.fill(dims.constant(1));
  left.batch.fill(dims.constant(0));
  right.batch.fill(dims.constant(0));
  size_t slot = 4;
  for (size_t k = axes.size(); k-- > 0;) {
    const auto [axis, extent, stride] = axes[k];
    KernelText& text = end.coordinates[axis];
    if (!text.pieces.empty()) continue;
    if (dims.is_constant(extent, 1)) {
      text << "0";
      continue;
    }
    p.batch[--slot] = extent;
    left.batch[slot] = stride;
    if (axis < batch_rank) right.batch[slot] = right_batch[4 - batch_rank + axis];
    text << std::string_view("b" + std::to_string(slot));
  }
  end.coordinates.emplace_back() << "n";
  end.captures = {"b0", "b1", "b2", "b3"};
  return contract_matrices(ctx, std::move(p), left, right, end);
}

}  // namespace

extern const OpDef op_mat_mul;
const OpDef op_mat_mul = {.name = "MatMul", .infer = infer, .eval = eval, .kernel = kernel, .epilogue = true};

}  // namespace burnish
