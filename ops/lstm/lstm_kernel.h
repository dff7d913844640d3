#pragma once

#include "ir/element.h"
#include "ops/kernel_axes.h"
#include "ops/lstm/recurrent.h"

namespace burnish {

/// An LSTM on a device: the inputs' products of all steps, then the recurrence.
class LstmKernel {
 public:
  explicit LstmKernel(KernelCtx& ctx)
      : ctx_(ctx),
        dims_(ctx.dims),
        attrs_(ctx.attrs<RecurrentAttrs>()),
        element_(device_type(ctx.in(0).dtype)) {}

  Verdict run() {
    const DType dtype = ctx_.in(0).dtype;
    if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
      return Verdict::no("no device kernel for recurrent nets of " + std::string(name_of(dtype)));
    const Tensor* r = ctx_.constant_operand(2);
    if (!r) return Verdict::no("the recurrent weights are not constant");
    hidden_ = r->shape()[2];
    directions_ = r->shape()[0];
    for (size_t i = 3; directions_ == 2 && i < 6; ++i)
      if (attrs_.activations[i] != attrs_.activations[i - 3] || attrs_.alpha[i] != attrs_.alpha[i - 3] ||
          attrs_.beta[i] != attrs_.beta[i - 3])
        return Verdict::no("the two directions have different activations");
    constexpr int64_t shared_memory = 48 << 10;
    const int64_t each = 6 * hidden_ * static_cast<int64_t>(sizeof(float));
    if (each > shared_memory)
      return Verdict::no("the state of " + std::to_string(hidden_) + " elements does not fit a block");
    tile_ = ctx_.usual(ctx_.in(0).shape[1]) >= 4 && 4 * each <= shared_memory ? 4 : 1;
    for (size_t i = 0; i < 3; ++i)
      if (ctx_.wants(i) && !dims_.is_constant(ctx_.out_strides(i).back(), 1))
        return Verdict::no("a result is stored with gaps");
    for (size_t i : {4, 5, 6, 7})
      if (ctx_.has(i)) ctx_.make_dense(i);

    const std::vector<Dim>& shape = ctx_.in(0).shape;
    const Dim rows = dims_.constant(4 * hidden_);
    gates_ = ctx_.scratch(DType::f32,
                          dims_.product(std::array{shape[0], dims_.constant(directions_), shape[1], rows}));
    project(rows);
    recur(ctx_.constant(transposed(*r)), static_cast<int>(tile_ * each));
    return Verdict::yes();
  }

 private:
  /// [direction, row, unit] -> [direction, unit, row]
  static Tensor transposed(const Tensor& r) {
    const int64_t directions = r.shape()[0], rows = r.shape()[1], hidden = r.shape()[2];
    Tensor out = Tensor::zeros(r.dtype(), {directions, hidden, rows});
    visit_storage(r.dtype(), [&]<class T>(T*) {
      auto* to = reinterpret_cast<T*>(out.writable());
      for (int64_t d = 0; d < directions; ++d)
        for (int64_t row = 0; row < rows; ++row)
          for (int64_t k = 0; k < hidden; ++k)
            to[(d * hidden + k) * rows + row] = r.data<T>()[(d * rows + row) * hidden + k];
    });
    return out;
  }

  KernelText operand_or_null(bool there, OperandPointer pointer, std::string_view type) const {
    KernelText text;
    if (there) text << pointer;
    else text << "(" << type << "*)nullptr";
    return text;
  }
  KernelText input(size_t i, const std::string& type) const {
    return operand_or_null(ctx_.has(i), ctx_.in_pointer(i), "const " + type);
  }
  KernelText result(size_t i) const { return operand_or_null(ctx_.wants(i), ctx_.out_pointer(i), element_); }
  /// Strides over all axes but the last, which is dense; zeros for what is not there.
  KernelText leading(bool there, std::span<const Dim> strides, size_t rank) const {
    const std::vector<Dim> zeros(rank - 1, dims_.constant(0));
    return dims_text(there ? strides.first(rank - 1) : std::span<const Dim>(zeros));
  }

  void project(Dim rows) {
    const std::vector<Dim>& x = ctx_.in(0).shape;
    KernelCall call{.headers = {"ops/lstm/projection.cuh"}};
    const Dim tile = dims_.constant(64);
    call.grid = {dims_.ceil_div(dims_.mul(x[0], x[1]), tile), dims_.ceil_div(rows, tile),
                 dims_.constant(directions_)};
    call.block = {256, 1, 1};
    const std::vector<Dim> none(2, dims_.constant(0));
    call.body << "recurrent_projection<" << element_ << ">(" << ctx_.in_pointer(0) << ", "
              << ctx_.in_pointer(1) << ", " << input(3, element_) << ", " << gates_ << ", " << x[0] << ", "
              << x[1] << ", " << x[2] << ", " << rows << ", " << dims_text(ctx_.in_strides(0)) << ", "
              << dims_text(ctx_.in_strides(1)) << ", "
              << dims_text(ctx_.has(3) ? ctx_.in_strides(3) : std::span<const Dim>(none)) << ");\n";
    ctx_.calls.push_back(std::move(call));
  }

  /// The expression of activation `which` at x.
  std::string activation(size_t which) const {
    const std::string& name = attrs_.activations[which];
    auto number = [](float v) { return "float(" + real_text(static_cast<double>(v)) + ")"; };
    const std::string a = number(attrs_.alpha[which]), b = number(attrs_.beta[which]);
    if (name == "Affine") return a + " * x + " + b;
    if (name == "LeakyRelu") return "x < 0 ? " + a + " * x : x";
    if (name == "ThresholdedRelu") return "x > " + a + " ? x : 0.0f";
    if (name == "ScaledTanh") return a + " * prim::tanh(" + b + " * x)";
    if (name == "HardSigmoid") return "prim::clip(" + a + " * x + " + b + ", 0.0f, 1.0f)";
    if (name == "Elu") return "x < 0 ? " + a + " * prim::expm1(x) : x";
    std::string lower = name;
    lower[0] = static_cast<char>(lower[0] - 'A' + 'a');
    return "prim::" + lower + "(x)";
  }

  void recur(OperandPointer r, int shared_bytes) {
    const std::vector<Dim>& x = ctx_.in(0).shape;
    const Dim rows = dims_.constant(4 * hidden_), d = dims_.constant(directions_),
              batch_rows = dims_.mul(x[1], rows);
    const std::vector<Dim> gate_strides{dims_.mul(d, batch_rows), batch_rows, rows};
    KernelCall call{.headers = {"ops/lstm/lstm.cuh"}, .shared_bytes = shared_bytes};
    call.prelude = "struct Activations {\n";
    for (size_t i = 0; i < 3; ++i)
      call.prelude += std::string("static __device__ __forceinline__ float ") + "fgh"[i] +
                      "(float x) { return " + activation(i) + "; }\n";
    call.prelude += "};\n";
    call.grid = {dims_.ceil_div(x[1], dims_.constant(tile_)), d, dims_.constant(1)};
    call.block = {static_cast<int>(std::min<int64_t>((4 * hidden_ + 31) / 32 * 32, 1024)), 1, 1};
    auto in_leading = [&](size_t i) {
      return leading(ctx_.has(i), ctx_.has(i) ? ctx_.in_strides(i) : std::span<const Dim>(), 3);
    };
    auto out_leading = [&](size_t i, size_t rank) {
      return leading(ctx_.wants(i), ctx_.wants(i) ? ctx_.out_strides(i) : std::span<const Dim>(), rank);
    };
    call.body << "const LstmOperands<" << element_ << ", float> operands{" << gates_ << ", "
              << dims_text(gate_strides) << ", " << r << ", " << input(7, element_) << ", "
              << input(5, element_) << ", " << input(6, element_) << ", " << in_leading(5) << ", "
              << in_leading(6) << ", " << input(4, "int") << ", " << result(0) << ", " << out_leading(0, 4)
              << ", " << result(1) << ", " << result(2) << ", " << out_leading(1, 3) << ", "
              << out_leading(2, 3) << "};\nlstm<" << std::to_string(tile_)
              << (attrs_.input_forget ? ", true" : ", false") << ", Activations>(operands, " << x[0] << ", "
              << x[1] << ", " << std::to_string(hidden_) << ", "
              << (attrs_.clip > 0 ? "float(" + real_text(static_cast<double>(attrs_.clip)) + ")"
                                  : "float(prim::infinity())")
              << (attrs_.direction == "reverse" ? ", true" : ", false") << ");\n";
    ctx_.calls.push_back(std::move(call));
  }

  KernelCtx& ctx_;
  DimTable& dims_;
  const RecurrentAttrs& attrs_;
  std::string element_;
  int64_t hidden_ = 0, directions_ = 1, tile_ = 1;
  OperandPointer gates_{};
};

}  // namespace burnish
