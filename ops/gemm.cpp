#include "ops/gemm.h"

#include "base/strided.h"
#include "ops/product.h"
#include "ops/product_kernel.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  const GemmAttrs attrs{TRY(c.real("alpha", 1.0f)), TRY(c.real("beta", 1.0f)),
                        TRY(c.integer("transA", 0)) != 0, TRY(c.integer("transB", 0)) != 0};
  std::vector<ValueId> inputs{c.input(0), c.input(1)};
  if (c.has_input(2)) inputs.push_back(c.input(2));
  c.bind(0, TRY(c.emit("Gemm", attrs, std::move(inputs))));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 3));
  const GemmAttrs& attrs = c.attrs<GemmAttrs>();
  for (size_t i = 0; i < 2; ++i)
    if (c.rank(i) != 2)
      return c.error("operand " + std::to_string(i) + " must be a matrix, got shape " +
                     c.dims.text(c.shape(i)));
  for (size_t i = 1; i < c.input_count(); ++i)
    if (c.has(i) && c.in(i).dtype != c.in(0).dtype)
      return c.error("operands are of different types, " + std::string(name_of(c.in(0).dtype)) + " and " +
                     std::string(name_of(c.in(i).dtype)));
  if (!is_product_type(c.in(0).dtype))
    return c.error("is not defined on " + std::string(name_of(c.in(0).dtype)));
  const std::vector<Dim>&a = c.shape(0), &b = c.shape(1);
  TRY(c.unify(a[attrs.trans_a ? 0 : 1], b[attrs.trans_b ? 1 : 0],
              "the inner extents of the product must be equal"));
  const std::vector<Dim> shape{a[attrs.trans_a ? 1 : 0], b[attrs.trans_b ? 0 : 1]};
  if (c.has(2)) {
    if (c.rank(2) > 2)
      return c.error("operand 2 must have at most two axes, got shape " + c.dims.text(c.shape(2)));
    TRY(c.broadcast(shape, c.shape(2)));
  }
  c.out(0, c.in(0).dtype, shape);
  return {};
}

template <class T>
void run(EvalCtx& c) {
  const GemmAttrs& attrs = c.attrs<GemmAttrs>();
  const Shape &a = c.in(0).shape, &b = c.in(1).shape;
  TensorView& y = c.out(0);
  const int64_t m = y.shape[0], n = y.shape[1], k = a[attrs.trans_a ? 0 : 1];
  MatrixRef<T> x{c.in(0).data<T>(), a[1], 1}, w{c.in(1).data<T>(), b[1], 1};
  if (attrs.trans_a) std::swap(x.row, x.column);
  if (attrs.trans_b) std::swap(w.row, w.column);
  T* to = y.data<T>();
  product<T>(c.pool, m, n, k, x, w, to, n);
  const bool adds = c.has(2) && attrs.beta != 0;
  if (attrs.alpha == 1 && !adds) return;
  const T* add = adds ? c.in(2).data<T>() : nullptr;
  int64_t row = 0, column = 0;
  if (adds) {
    const Shape& s = c.in(2).shape;
    if (!s.empty() && s.back() != 1) column = 1;
    if (s.size() == 2 && s[0] != 1) row = s[1];
  }
  c.pool.parallel_for(m, (1 << 14) / (n + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = 0; j < n; ++j) {
        T v = attrs.alpha == 1 ? to[i * n + j] : static_cast<T>(static_cast<T>(attrs.alpha) * to[i * n + j]);
        if (adds) v = static_cast<T>(v + static_cast<T>(attrs.beta) * add[i * row + j * column]);
        to[i * n + j] = v;
      }
  });
}

Result<> eval(EvalCtx& c) {
  visit_product_type(c.in(0).dtype, [&]<class T>(T*) { run<T>(c); });
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const DType dtype = ctx.in(0).dtype;
  if (Verdict v = product_type_verdict(dtype); !v) return v;
  if (ctx.normalization && !copies_rows(ctx))
    if (Verdict v = ctx.normalize_first(); !v) return v;
  const GemmAttrs& attrs = ctx.attrs<GemmAttrs>();
  const MatrixView left = matrix_view(ctx, 0, !attrs.trans_a, {});
  MatrixView right = matrix_view(ctx, 1, attrs.trans_b, {});
  const Dim one = dims.constant(1);
  ContractionProblem p{
      ctx.out(0).shape[0], ctx.out(0).shape[1], ctx.in(0).shape[attrs.trans_a ? 0 : 1], {one, one, one, one}};
  EpilogueForm end{.column_axis = 1, .column_step = 8, .alpha = attrs.alpha};
  end.coordinates.emplace_back() << "m";
  end.coordinates.emplace_back() << "n";
  if (ctx.has(2))
    end.addends.push_back(
        {2, broadcast_strides(dims, ctx.in(2).shape, ctx.in_strides(2), ctx.out(0).shape), attrs.beta});
  return contract_matrices(ctx, std::move(p), left, right, end);
}

}  // namespace

extern const OpDef op_gemm;
const OpDef op_gemm = {.name = "Gemm",
                       .attrs = &attr_schema<GemmAttrs>,
                       .import = import,
                       .infer = infer,
                       .eval = eval,
                       .kernel = kernel,
                       .epilogue = true};

}  // namespace burnish
