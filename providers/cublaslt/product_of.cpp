#include "providers/cublaslt/product_of.h"

#include "ir/anchor_operands.h"
#include "ops/conv.h"
#include "ops/gemm.h"
#include "ops/product_kernel.h"

namespace burnish::cublaslt {

namespace {

/// An axis that all matrices of the result share: rows, or a batch.
struct Axis {
  int64_t extent, left, right, result;  // strides
};

/// A product by rows: left [rows x k] times right [k x columns] gives result [rows x columns].
struct RowProduct {
  OperandPointer left, right, result;
  int64_t columns = 0, k = 0;
  int64_t left_k = 1;                // stride along k
  int64_t right_k = 1, right_n = 1;  // strides along k and columns
  std::vector<Axis> axes;            // outermost first; the last one are the rows
};

class Reader {
 public:
  Reader(KernelCtx& ctx, KernelCtx& anchor, NodeProduct& out) : ctx_(ctx), anchor_(anchor), out_(out) {}

  Verdict read() {
    if (anchor_.normalization) return Verdict::no("the library does not normalise the rows");
    const std::string_view op = anchor_.node.op->name;
    if (op != "MatMul" && op != "Gemm" && op != "Conv") return Verdict::no("it is no matrix product");
    const DType dtype = anchor_.in(0).dtype;
    if (Verdict v = product_type_verdict(dtype); !v) return v;
    if (ctx_.out(0).dtype != dtype) return Verdict::no("its result is of another type than its operands");
    for (size_t i = 0; i < ctx_.node.inputs.size(); ++i)
      if (ctx_.has(i) && !all_known(ctx_.in(i).shape))
        return Verdict::no("its extents are decided by the inputs of a run");
    product().dtype = dtype;
    product().tf32 = dtype == DType::f32 && ctx_.tf32();
    if (Verdict v = op == "MatMul" ? mat_mul() : op == "Gemm" ? gemm() : conv(); !v) return v;
    if (Verdict v = place(); !v) return v;
    if (Verdict v = follow(); !v) return v;
    finish();
    return Verdict::yes();
  }

 private:
  Product& product() { return out_.product; }
  int64_t value(Dim d) const { return ctx_.dims.value(d).value_or(-1); }
  bool all_known(std::span<const Dim> shape) const {
    return std::ranges::all_of(shape, [&](Dim d) { return ctx_.dims.value(d).has_value(); });
  }

  Verdict mat_mul() {
    const std::vector<Dim>&a = anchor_.in(0).shape, &b = anchor_.in(1).shape, &y = anchor_.out(0).shape;
    if (a.size() < 2 || b.size() < 2) return Verdict::no("the product with a vector");
    if (y.size() > 6) return Verdict::no("more than four batch axes");
    const std::span<const Dim> batch = std::span(y).first(y.size() - 2);
    const MatrixView left = matrix_view(anchor_, 0, true, batch),
                     right = matrix_view(anchor_, 1, false, batch);
    matrices(left, right, a.back(), y);
    const std::span<const Dim> strides = anchor_.out_strides(0);
    for (size_t i = 0; i < batch.size(); ++i)
      rows_.axes.push_back({value(batch[i]), value(left.batch[4 - batch.size() + i]),
                            value(right.batch[4 - batch.size() + i]), value(strides[i])});
    rows_.axes.push_back({value(y[y.size() - 2]), value(left.stride_mn), 0, value(strides[y.size() - 2])});
    return Verdict::yes();
  }

  Verdict gemm() {
    const GemmAttrs& attrs = anchor_.attrs<GemmAttrs>();
    const std::vector<Dim>& y = anchor_.out(0).shape;
    const MatrixView left = matrix_view(anchor_, 0, !attrs.trans_a, {}),
                     right = matrix_view(anchor_, 1, attrs.trans_b, {});
    matrices(left, right, anchor_.in(0).shape[attrs.trans_a ? 0 : 1], y);
    rows_.axes = {{value(y[0]), value(left.stride_mn), 0, value(anchor_.out_strides(0)[0])}};
    product().alpha = attrs.alpha;
    if (!anchor_.has(2) || attrs.beta == 0) return Verdict::yes();
    return add(anchor_.in_pointer(2), anchor_.in(2), anchor_.in_strides(2), attrs.beta);
  }

  Verdict conv() {
    const ConvAttrs& attrs = anchor_.attrs<ConvAttrs>();
    const std::vector<Dim>&x = anchor_.in(0).shape, &y = anchor_.out(0).shape;
    const auto all = [](const std::vector<int64_t>& list, int64_t v) {
      return std::ranges::all_of(list, [&](int64_t x) { return x == v; });
    };
    const std::vector<Dim>& w = anchor_.in(1).shape;
    const bool pointwise = std::ranges::all_of(std::span(w).subspan(2), [&](Dim d) { return value(d) == 1; });
    if (!pointwise || attrs.group != 1 || attrs.auto_pad != "NOTSET" || !all(attrs.strides, 1) ||
        !all(attrs.pads, 0))
      return Verdict::no("it is a convolution that is no matrix product");
    const std::span<const Dim> weights = anchor_.in_strides(1);
    rows_.right = anchor_.in_pointer(1);
    rows_.left = anchor_.in_pointer(0);
    rows_.result = anchor_.out_pointer(0);
    rows_.columns = value(y[1]);
    rows_.k = value(x[1]);
    rows_.right_n = value(weights[0]);
    rows_.right_k = value(weights[1]);
    const std::span<const Dim> from = anchor_.in_strides(0), to = anchor_.out_strides(0);
    rows_.left_k = value(from[1]);
    column_stride_ = value(to[1]);
    for (size_t a = 0; a < x.size(); ++a)
      if (a != 1) rows_.axes.push_back({value(x[a]), value(from[a]), 0, value(to[a])});
    product().alignment = static_cast<int64_t>(size_of(anchor_.in(0).dtype)) *
                          std::min({anchor_.in_alignment(0), anchor_.in_alignment(1), ctx_.out_alignment(0)});
    if (!anchor_.has(2)) return Verdict::yes();
    return bias(anchor_.in_pointer(2), anchor_.in(2).dtype, value(anchor_.in_strides(2)[0]));
  }

  void matrices(const MatrixView& left, const MatrixView& right, Dim k, const std::vector<Dim>& y) {
    rows_.left = left.pointer;
    rows_.right = right.pointer;
    rows_.result = anchor_.out_pointer(0);
    rows_.columns = value(y.back());
    rows_.k = value(k);
    rows_.left_k = value(left.stride_k);
    rows_.right_k = value(right.stride_k);
    rows_.right_n = value(right.stride_mn);
    column_stride_ = value(anchor_.out_strides(0).back());
    product().alignment = static_cast<int64_t>(size_of(left.dtype)) *
                          std::min({left.alignment, right.alignment, ctx_.out_alignment(0)});
  }

  /// Rows and batches: axes that all matrices walk evenly become one.
  Verdict place() {
    if (column_stride_ != 1) return Verdict::no("its result is not stored row by row");
    std::vector<Axis> axes;
    for (const Axis& axis : rows_.axes) {
      if (axis.extent == 0) return Verdict::no("it is empty");
      const bool walks = !axes.empty() && axes.back().left == axis.left * axis.extent &&
                         axes.back().right == axis.right * axis.extent &&
                         axes.back().result == axis.result * axis.extent;
      if (walks) axes.back() = {axes.back().extent * axis.extent, axis.left, axis.right, axis.result};
      else if (axis.extent != 1) axes.push_back(axis);
    }
    if (axes.empty() || axes.back().right != 0) axes.push_back({1, 0, 0, 0});
    if (axes.size() > 2) return Verdict::no("its batches are not evenly spaced");
    const Axis rows = axes.back(), batch = axes.size() == 2 ? axes.front() : Axis{1, 0, 0, 0};
    Product& p = product();
    p.m = rows_.columns;
    p.n = rows.extent;
    p.k = rows_.k;
    if (p.m <= 0 || p.k <= 0) return Verdict::no("it is empty");
    p.batch = batch.extent;
    p.stride_a = batch.right;
    p.stride_b = batch.left;
    p.stride_d = batch.result;
    p.ldd = std::max(rows.result, p.m);
    // The library counts by columns, so it is given the transposes: right is A, left is B.
    const auto matrix = [](int64_t along_rows, int64_t along_columns, int64_t rows, int64_t columns,
                           bool& transposed, int64_t& ld) {
      transposed = along_rows != 1 && rows != 1;
      ld = std::max(transposed ? along_rows : along_columns, transposed ? columns : rows);
      return (transposed ? along_columns : along_rows) == 1 || (transposed ? columns : rows) == 1;
    };
    if (!matrix(rows_.right_n, rows_.right_k, p.m, p.k, p.transpose_a, p.lda) ||
        !matrix(rows_.left_k, rows.left, p.k, p.n, p.transpose_b, p.ldb))
      return Verdict::no("an operand is contiguous along neither axis");
    return Verdict::yes();
  }

  /// The nodes fused to the product, in order.
  Verdict follow() {
    if (&ctx_ == &anchor_) return Verdict::yes();
    const Graph& body = anchor_.graph;
    ValueId value = anchor_.node.outputs[0];
    for (size_t i = anchor_index(body) + 1; i < body.nodes.size(); ++i) {
      const Node& node = body.nodes[i];
      const std::string name = "'" + std::string(node.op->name) + "'";
      if (std::ranges::count(node.inputs, value) != 1 || product().activation != Product::Activation::none)
        return Verdict::no("the library does not go on with " + name + " there");
      if (node.op->name == "Relu") product().activation = Product::Activation::relu;
      else if (node.op->name == "Gelu" && *node.attrs.find<std::string>("approximate") == "tanh")
        product().activation = Product::Activation::gelu;
      else if (node.op->name != "Add") return Verdict::no("the library has no " + name + " after a product");
      else if (Verdict v = add(body, node.inputs[node.inputs[0] == value ? 1 : 0]); !v) return v;
      value = node.outputs[0];
    }
    return Verdict::yes();
  }

  Verdict add(const Graph& body, ValueId v) {
    const auto input = std::ranges::find(body.inputs, v);
    if (input == body.inputs.end()) return Verdict::no("what is added is computed beside the product");
    const auto i = static_cast<size_t>(input - body.inputs.begin());
    product().alignment =
        std::min(product().alignment, static_cast<int64_t>(size_of(ctx_.in(i).dtype)) * ctx_.in_alignment(i));
    return add(ctx_.in_pointer(i), ctx_.in(i), ctx_.in_strides(i), 1);
  }

  /// A summand: one element a column, or a matrix that lies as the result does.
  Verdict add(OperandPointer pointer, const TensorType& type, std::span<const Dim> strides, float scale) {
    const std::vector<Dim>& y = anchor_.out(0).shape;
    const size_t column_axis = anchor_.node.op->name == "Conv" ? 1 : y.size() - 1;
    const std::vector<Dim> spread = broadcast_strides(ctx_.dims, type.shape, strides, y);
    bool vector = true, matrix = true;
    for (size_t a = 0; a < y.size(); ++a) {
      if (value(y[a]) == 1) continue;
      vector = vector && (a == column_axis || value(spread[a]) == 0);
      matrix = matrix && value(spread[a]) == value(ctx_.out_strides(0)[a]);
    }
    if (matrix && product().beta == 0 && type.dtype == product().dtype) {
      residual_ = pointer;
      product().beta = scale;
      return Verdict::yes();
    }
    if (vector && scale == 1) return bias(pointer, type.dtype, value(spread[column_axis]));
    return Verdict::no(
        "what is added is neither a vector by columns nor a matrix that lies as the result does");
  }

  Verdict bias(OperandPointer pointer, DType dtype, int64_t stride) {
    if (product().bias || stride != 1 || dtype != product().dtype)
      return Verdict::no("it has a second bias, or one that is no dense vector of its own type");
    product().bias = true;
    bias_ = pointer;
    return Verdict::yes();
  }

  void finish() {
    out_.operands = {rows_.right, rows_.left};
    if (product().beta != 0) out_.operands.push_back(residual_);
    out_.operands.push_back(rows_.result);
    if (product().bias) out_.operands.push_back(bias_);
  }

  KernelCtx &ctx_, &anchor_;
  NodeProduct& out_;
  RowProduct rows_;
  int64_t column_stride_ = 1;
  OperandPointer residual_{}, bias_{};
};

}  // namespace

Verdict product_of(KernelCtx& ctx, NodeProduct& out) {
  if (ctx.node.op->name != "Fused") return Reader(ctx, ctx, out).read();
  Graph body = ctx.node.regions[0];
  AnchorOperands anchor(ctx, body);
  return Reader(ctx, anchor, out).read();
}

}  // namespace burnish::cublaslt
