#pragma once

#include "ops/kernel_axes.h"
#include "ops/resize/resize.h"

namespace burnish {

/// Resize on a device.
class ResizeKernel {
 public:
  explicit ResizeKernel(KernelCtx& ctx) : ctx_(ctx), dims_(ctx.dims), attrs_(ctx.attrs<ResizeAttrs>()) {
    axes_ = attrs_.axes;
    for (size_t a = 0; axes_.size() < ctx.in(0).shape.size() && attrs_.axes.empty(); ++a)
      axes_.push_back(static_cast<int64_t>(a));
    if (const Tensor* t = ctx.constant_operand(2); t && t->dtype() == DType::f32) scales_ = t;
    crops_ = attrs_.coordinate_transformation_mode == "tf_crop_and_resize";
  }

  Verdict run() {
    const DType dtype = ctx_.in(0).dtype;
    const bool nearest = attrs_.mode == "nearest";
    if (attrs_.antialias && !nearest) return Verdict::no("no device kernel for a resize with antialias");
    if (!nearest && dtype != DType::f32 && dtype != DType::f16 && dtype != DType::bf16)
      return Verdict::no("no device kernel that interpolates " + std::string(name_of(dtype)));
    std::string rounding = attrs_.nearest_mode;
    if (nearest && rounding == "simple") rounding = simple_rounding();
    if (nearest && rounding.empty())
      return Verdict::no("the way nearest coordinates round is not known before the engine runs");
    if (!nearest) rounding = "floor";

    std::vector<size_t> resized;
    KernelAxes all(2);
    const std::vector<Dim>& shape = ctx_.in(0).shape;
    const std::span<const Dim> x = ctx_.in_strides(0), y = ctx_.out_strides(0);
    if (shape.empty()) return Verdict::no("no device kernel for a resize of a scalar");
    for (size_t a = 0; a < shape.size(); ++a)
      if (is_plain(a) && (a + 1 < shape.size() || !resized.empty())) all.add(shape[a], {x[a], y[a]});
      else resized.push_back(a);
    if (resized.size() > 4) return Verdict::no("no device kernel that resizes more than four axes");
    const KernelAxes plain = collapsed(dims_, in_memory_order(ctx_, all, 1));
    std::vector<Dim> x_resized, y_resized;
    for (size_t a : resized) {
      x_resized.push_back(x[a]);
      y_resized.push_back(y[a]);
    }
    const bool plain_fastest = plain.rank() > 0 && dims_.is_constant(plain.strides[1].back(), 1);
    const auto size = static_cast<int64_t>(size_of(dtype));
    int64_t bytes = size;  // moved at once
    if (nearest && !crops_ && plain_fastest) {
      KernelAxes lines(2);
      for (size_t a : resized) lines.add(shape[a], {x[a], y[a]});
      for (size_t a = 0; a < plain.rank(); ++a)
        lines.add(plain.extents[a], {plain.strides[0][a], plain.strides[1][a]});
      bytes = access_bytes(dims_, lines, size, {ctx_.in_alignment(0), ctx_.out_alignment(0)});
    }
    const Dim unit = dims_.constant(bytes / size);
    for (Dim& d : x_resized) d = dims_.floor_div(d, unit);
    for (Dim& d : y_resized) d = dims_.floor_div(d, unit);
    const KernelAxes words = in_units(dims_, plain, bytes / size);
    const Dim total = dims_.floor_div(dims_.product(ctx_.out(0).shape), unit);

    KernelCall call{.headers = {"ops/resize/resize.cuh"}};
    set_launch(dims_, call, total, 256, 256);
    call.body << "const ResizeAxis axes[] = {";
    for (size_t a : resized) call.body << axis_text(a) << ", ";
    call.body << "};\nresize<resize_mode::" << attrs_.mode
              << ", resize_mode::" << attrs_.coordinate_transformation_mode << ", resize_mode::" << rounding
              << (plain_fastest ? ", true>(" : ", false>(");
    if (bytes == size) call.body << ctx_.in_pointer(0) << ", " << ctx_.out_pointer(0);
    else
      call.body << word_pointer(ctx_.in_pointer(0), bytes, true) << ", "
                << word_pointer(ctx_.out_pointer(0), bytes, false);
    call.body << ", " << dims_text(words.extents, index_type(dims_, total)) << ", "
              << dims_text(words.strides[0]) << ", " << dims_text(words.strides[1]) << ", axes, "
              << dims_text(x_resized) << ", " << dims_text(y_resized) << ", " << number(attrs_.cubic_coeff_a)
              << ", " << (attrs_.exclude_outside ? "true" : "false") << ", "
              << number(attrs_.extrapolation_value) << ");\n";
    ctx_.calls.push_back(std::move(call));
    return Verdict::yes();
  }

 private:
  static std::string number(float value) { return "float(" + real_text(static_cast<double>(value)) + ")"; }

  /// Where axis a stands in roi, scales and sizes; -1: it does not.
  int64_t position(size_t a) const {
    const auto it = std::find(axes_.begin(), axes_.end(), static_cast<int64_t>(a));
    return it == axes_.end() ? -1 : it - axes_.begin();
  }
  /// Axes whose elements stay where they are.
  bool is_plain(size_t a) const {
    const int64_t k = position(a);
    if (k < 0) return true;
    if (crops_ || attrs_.coordinate_transformation_mode == "tf_half_pixel_for_nn" ||
        ctx_.in(0).shape[a] != ctx_.out(0).shape[a])
      return false;
    return !ctx_.has(2) || (scales_ && scales_->data<float>()[k] == 1);
  }
  /// Opset 10 rounds up where it shrinks, else down.
  std::string simple_rounding() const {
    bool shrinks = false, grows = false;
    for (int64_t k = 0; scales_ && k < scales_->count(); ++k) {
      shrinks = shrinks || scales_->data<float>()[k] < 1;
      grows = grows || scales_->data<float>()[k] > 1;
    }
    return !scales_ || (shrinks && grows) ? "" : shrinks ? "ceil" : "floor";
  }
  /// Element k of operand i.
  KernelText element(size_t i, int64_t k) const {
    KernelText text;
    text << "float(load(" << ctx_.in_pointer(i) << " + " << k << " * " << ctx_.in_strides(i)[0] << "))";
    return text;
  }
  /// A `ResizeAxis`.
  KernelText axis_text(size_t a) const {
    const int64_t k = position(a);
    const Dim in = ctx_.in(0).shape[a], out = ctx_.out(0).shape[a];
    KernelText scale, text;
    if (k < 0) scale << "1.0f";
    else if (scales_) scale << number(scales_->data<float>()[k]);
    else if (ctx_.has(2)) scale << element(2, k);
    else scale << "float(" << out << ") / float(" << in << ")";
    text << "{" << in << ", " << out << ", " << scale << ", ";
    if (crops_ && k >= 0) text << element(1, k) << ", " << element(1, k + static_cast<int64_t>(axes_.size()));
    else text << "0.0f, 1.0f";
    text << ", ";
    if (ctx_.has(2) && k >= 0) text << "resized_length(" << scale << ", " << in << ", " << out << ")";
    else text << "0.0f";
    text << "}";
    return text;
  }

  KernelCtx& ctx_;
  DimTable& dims_;
  const ResizeAttrs& attrs_;
  std::vector<int64_t> axes_;
  const Tensor* scales_ = nullptr;
  bool crops_ = false;
};

}  // namespace burnish
