#pragma once

#include "ops/deferred_weights.h"
#include "ops/kernel_axes.h"
#include "ops/recurrent/recurrent.h"

namespace burnish {

/// What a recurrent net's device kernel must know of its cell.
struct RecurrentCell {
  std::string header;  // device text that defines `type`
  std::string type;    // over a type Activations
  int64_t gates, states;
  int64_t summed_biases = gates;  // gates to which R's bias is simply added, as W's is
  /// Parameters of the cell's own: the operand, and how much of its second axis there is and lies before them, in
  /// multiples of the hidden size.
  struct Parameters {
    size_t operand;
    int64_t extent, first;
  };
  std::optional<Parameters> parameters = {};
};

/// A recurrent net on a device: the inputs' products of all steps, then the recurrence.
class RecurrentKernel {
 public:
  RecurrentKernel(KernelCtx& ctx, RecurrentCell cell)
      : ctx_(ctx),
        dims_(ctx.dims),
        attrs_(ctx.attrs<RecurrentAttrs>()),
        cell_(std::move(cell)),
        element_(device_type(ctx.in(0).dtype)),
        directions_(attrs_.direction == "bidirectional" ? 2 : 1),
        activations_(attrs_.activations.size() / static_cast<size_t>(directions_)) {}

  Verdict run() {
    if (Verdict v = operands_verdict(); !v) return v;
    if (Verdict v = choose_tile(); !v) return v;
    for (size_t i = 3; i < 8; ++i)
      if (ctx_.has(i)) ctx_.make_dense(i);
    rows_ = dims_.constant(cell_.gates * hidden_);
    const std::vector<Dim>& x = ctx_.in(0).shape;
    gates_ =
        ctx_.scratch(DType::f32, dims_.product(std::array{x[0], dims_.constant(directions_), x[1], rows_}));
    project();
    recur();
    return Verdict::yes();
  }

 private:
  Verdict operands_verdict() {
    const DType dtype = ctx_.in(0).dtype;
    if (dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
      return Verdict::no("no device kernel for recurrent nets of " + std::string(name_of(dtype)));
    if (!dims_.value(ctx_.in(2).shape[2]))
      return Verdict::no("the hidden size is not known when the engine is built");
    for (size_t i = activations_; i < attrs_.activations.size(); ++i) {
      const size_t first = i - activations_;
      if (attrs_.activations[i] != attrs_.activations[first] || attrs_.alpha[i] != attrs_.alpha[first] ||
          attrs_.beta[i] != attrs_.beta[first])
        return Verdict::no("the two directions have different activations");
    }
    for (size_t i = 0; i < 3; ++i)
      if (ctx_.wants(i) && !dims_.is_constant(ctx_.out_strides(i).back(), 1))
        return Verdict::no("a result is stored with gaps");
    return Verdict::yes();
  }

  /// Sequences that a block takes on, and elements of R that a thread reads at once.
  Verdict choose_tile() {
    constexpr int64_t shared_memory = 48 << 10;
    hidden_ = *dims_.value(ctx_.in(2).shape[2]);
    shared_bytes_ = (cell_.states + cell_.gates) * hidden_ * static_cast<int64_t>(sizeof(float));
    if (shared_bytes_ > shared_memory)
      return Verdict::no("the state of " + std::to_string(hidden_) + " elements does not fit a block");
    if (ctx_.usual(ctx_.in(0).shape[1]) >= 4 && 4 * shared_bytes_ <= shared_memory) tile_ = 4;
    shared_bytes_ *= tile_;
    pack_ = 16 / static_cast<int64_t>(size_of(ctx_.in(2).dtype));
    while (hidden_ % pack_ != 0) pack_ /= 2;
    return Verdict::yes();
  }

  /// R: [direction, row, k] -> [direction, k / pack, row, k % pack]
  OperandPointer packed_weights() {
    const Tensor* r = ctx_.constant_operand(2);
    return r ? ctx_.constant(packed(*r)) : packed_when_run();
  }
  Tensor packed(const Tensor& r) const {
    const int64_t rows = cell_.gates * hidden_;
    const Shape shape = {directions_, hidden_ / pack_, rows, pack_};
    return deferred_weights(
        r, shape,
        [rows, hidden = hidden_, pack = pack_, directions = directions_]<class T>(const T* from, T* to) {
          for (int64_t d = 0; d < directions; ++d, to += rows * hidden)
            for (int64_t row = 0; row < rows; ++row)
              for (int64_t k = 0; k < hidden; ++k) to[(k / pack * rows + row) * pack + k % pack] = *from++;
        });
  }
  OperandPointer packed_when_run() {
    const Dim pack = dims_.constant(pack_), one = dims_.constant(1);
    const std::vector<Dim> extents{dims_.constant(directions_), dims_.constant(hidden_ / pack_), rows_, pack};
    const std::span<const Dim> r = ctx_.in_strides(2);
    const Dim count = dims_.product(extents);
    const OperandPointer out = ctx_.scratch(ctx_.in(2).dtype, count);
    constexpr int threads = 256;
    KernelCall call{.headers = {"providers/nvrtc/device/copy.cuh"},
                    .grid = {dims_.ceil_div(count, dims_.constant(threads)), one, one},
                    .block = {threads, 1, 1}};
    call.body << "copy_view(" << ctx_.in_pointer(2) << ", " << out << ", blockIdx.x, "
              << dims_text(extents, index_type(dims_, count)) << ", "
              << dims_text(std::array{r[0], dims_.mul(r[2], pack), r[1], r[2]}) << ", "
              << dims_text(dense_strides(dims_, extents)) << ");\n";
    ctx_.calls.push_back(std::move(call));
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
  KernelText in_leading(size_t i) const {
    return leading(ctx_.has(i), ctx_.has(i) ? ctx_.in_strides(i) : std::span<const Dim>(), 3);
  }
  KernelText out_leading(size_t i, size_t rank) const {
    return leading(ctx_.wants(i), ctx_.wants(i) ? ctx_.out_strides(i) : std::span<const Dim>(), rank);
  }

  void project() {
    const std::vector<Dim>& x = ctx_.in(0).shape;
    KernelCall call{.headers = {"ops/recurrent/projection.cuh"}};
    const Dim tile = dims_.constant(64);
    call.grid = {dims_.ceil_div(dims_.mul(x[0], x[1]), tile), dims_.ceil_div(rows_, tile),
                 dims_.constant(directions_)};
    call.block = {256, 1, 1};
    call.body << "recurrent_projection(" << ctx_.in_pointer(0) << ", " << ctx_.in_pointer(1) << ", "
              << input(3, element_) << ", " << gates_ << ", " << x[0] << ", " << x[1] << ", " << x[2] << ", "
              << rows_ << ", " << cell_.summed_biases * hidden_ << ", " << dims_text(ctx_.in_strides(0))
              << ", " << dims_text(ctx_.in_strides(1)) << ");\n";
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
  std::string activations() const {
    std::string text = "struct Activations {\n";
    for (size_t i = 0; i < activations_; ++i) {
      text += "static __device__ __forceinline__ float ";
      text += "fgh"[i];
      text += "(float x) { return " + activation(i) + "; }\n";
    }
    return text + "};\n";
  }

  /// The cell's parameters and their stride over direction.
  KernelText parameters() const {
    KernelText text;
    if (!cell_.parameters || !ctx_.has(cell_.parameters->operand))
      return text << "(const " << element_ << "*)nullptr, 0LL";
    const auto [operand, extent, first] = *cell_.parameters;
    text << ctx_.in_pointer(operand) << " + " << first * hidden_ << ", " << extent * hidden_;
    return text;
  }
  KernelText operands() {
    const Dim batch_rows = dims_.mul(ctx_.in(0).shape[1], rows_);
    const std::array gate_strides{dims_.mul(dims_.constant(directions_), batch_rows), batch_rows, rows_};
    KernelText text;
    text << "const RecurrentOperands<" << element_ << ", " << device_type(ctx_.in(2).dtype) << "> operands{"
         << gates_ << ", " << dims_text(gate_strides) << ", " << packed_weights() << ", " << parameters()
         << ", " << input(4, "int") << ", {" << input(5, element_) << ", " << input(6, element_) << "}, {"
         << in_leading(5) << ", " << in_leading(6) << "}, " << result(0) << ", " << out_leading(0, 4) << ", {"
         << result(1) << ", " << result(2) << "}, {" << out_leading(1, 3) << ", " << out_leading(2, 3)
         << "}};\n";
    return text;
  }

  void recur() {
    const std::vector<Dim>& x = ctx_.in(0).shape;
    KernelCall call{
        .headers = {cell_.header}, .prelude = activations(), .shared_bytes = static_cast<int>(shared_bytes_)};
    call.grid = {dims_.ceil_div(x[1], dims_.constant(tile_)), dims_.constant(directions_), dims_.constant(1)};
    call.block = {static_cast<int>(std::min<int64_t>((cell_.gates * hidden_ + 31) / 32 * 32, 1024)), 1, 1};
    const std::string clip =
        attrs_.clip > 0 ? real_text(static_cast<double>(attrs_.clip)) : "prim::infinity()";
    call.body << operands() << "recur<" << cell_.type << ", " << std::to_string(tile_) << ", "
              << std::to_string(pack_) << ">(operands, " << x[0] << ", " << x[1] << ", "
              << std::to_string(hidden_) << ", float(" << clip
              << (attrs_.direction == "reverse" ? "), true" : "), false") << ");\n";
    ctx_.calls.push_back(std::move(call));
  }

  KernelCtx& ctx_;
  DimTable& dims_;
  const RecurrentAttrs& attrs_;
  const RecurrentCell cell_;
  const std::string element_;
  const int64_t directions_;
  const size_t activations_;  // of a direction
  int64_t hidden_ = 0, tile_ = 1, pack_ = 1, shared_bytes_ = 0;
  Dim rows_{};
  OperandPointer gates_{};
};

}  // namespace burnish
