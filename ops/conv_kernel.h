#pragma once

#include "ir/contraction_text.h"
#include "ops/conv_windows.h"
#include "ops/deferred_weights.h"
#include "ops/depthwise_kernel.h"
#include "ops/image_conv_kernel.h"
#include "ops/product_kernel.h"

namespace burnish {

/// ONNX weights -> [group][outputs per group][elements of a window as the image numbers them], rows `pitch` apart; `paired`: rows
/// of the first half and of the second one in turn.
inline Tensor pack_weights(const Tensor& w, const ConvForm& form, int64_t outputs, int64_t inputs,
                           const ConvImage& image, int64_t pitch, bool paired) {
  const int64_t taps = form.h.kernel * form.w.kernel;
  const Shape shape = {form.group * outputs, pitch};
  if (taps == 1 && !form.transposed && !paired && image.step_c == 1 && pitch == inputs)
    return w.reshaped(shape);
  const auto row = [=](int64_t o) { return paired ? o % (outputs / 2) * 2 + o / (outputs / 2) : o; };
  return deferred_weights(w, shape, [=]<class T>(const T* from, T* to) {
    for (int64_t g = 0; g < form.group; ++g)
      for (int64_t o = 0; o < outputs; ++o)
        for (int64_t i = 0; i < inputs; ++i)
          for (int64_t t = 0; t < taps; ++t) {
            const int64_t at = form.transposed ? ((g * inputs + i) * outputs + o) * taps + t
                                               : ((g * outputs + o) * inputs + i) * taps + t;
            to[(g * outputs + row(o)) * pitch + image.number(i, t / form.w.kernel, t % form.w.kernel)] =
                from[at];
          }
  });
}

/// Whether output positions lie as evenly spaced in the image as in a matrix: windows of one element, each pixel's own.
inline bool is_pointwise(const KernelCtx& ctx, const ConvForm& form) {
  DimTable& dims = ctx.dims;
  const bool single = dims.is_constant(form.h.in, 1) && dims.is_constant(form.w.in, 1);
  return !form.transposed && form.h.kernel * form.w.kernel == 1 && form.h.stride * form.w.stride == 1 &&
         form.h.pad + form.w.pad == 0 && form.h.in == form.h.out && form.w.in == form.w.out &&
         (single || (form.h.in_stride == dims.mul(form.w.in_stride, form.w.in) &&
                     ctx.in_strides(0)[0] == dims.mul(form.h.in_stride, form.h.in)));
}

/// The image of a pointwise convolution as matrix A.
inline MatrixView positions_matrix(const KernelCtx& ctx, const ConvForm& form, const ConvImage& image) {
  DimTable& dims = ctx.dims;
  const Dim zero = dims.constant(0);
  const bool single = dims.is_constant(form.h.in, 1) && dims.is_constant(form.w.in, 1);
  return {image.pointer,
          ctx.in(0).dtype,
          single ? image.stride_n : form.w.in_stride,
          image.stride_c,
          {zero, zero, zero, dims.mul(image.stride_c, dims.constant(image.channels))},
          image.alignment};
}

/// The weights as matrix B.
inline MatrixView weights_matrix(KernelCtx& ctx, const ConvForm& form, const Tensor& w, int64_t outputs,
                                 int64_t inputs, const ConvImage& image) {
  DimTable& dims = ctx.dims;
  const Dim zero = dims.constant(0);
  const int64_t chunk = 16 / static_cast<int64_t>(size_of(w.dtype())),
                pitch = (image.depth() + chunk - 1) / chunk * chunk;
  std::string numbering = form.transposed ? "transposed window" : "window";
  for (int64_t v : {form.group, image.w.kernel * image.channels, image.step_w, image.step_c})
    numbering += " " + std::to_string(v);
  const bool paired = pairs_columns(ctx);
  if (paired) numbering += " paired";
  const OperandPointer packed = ctx.constant_from(
      1, numbering, [&] { return pack_weights(w, form, outputs, inputs, image, pitch, paired); });
  return {packed,
          w.dtype(),
          dims.constant(pitch),
          dims.constant(1),
          {zero, zero, zero, dims.constant(outputs * pitch)},
          64};
}

/// Defines `a` as the image whose windows' elements threads copy or gather.
inline void define_image(KernelText& text, DimTable& dims, const ConvForm& form, const ConvImage& image,
                         DType dtype, int copy_bytes) {
  const bool along_k = dims.is_constant(image.stride_c, 1);
  text << std::string_view(
              std::string(form.transposed ? "const ConvTransposeOperand<" : "const ConvOperand<") +
              std::string(device_type(dtype)) + ", Major::" + (along_k ? "k" : "mn") + ", " +
              std::to_string(copy_bytes) + "> a{")
       << image.pointer << " + batch.at[3] * " << dims.mul(image.stride_c, dims.constant(image.channels))
       << ", " << image.stride_n << ", " << image.stride_c << ", " << image.h.in_stride << ", "
       << image.w.in_stride << std::string_view(", " + std::to_string(image.channels) + ", ");
  append(text, axis_text(image.h)) << ", ";
  append(text, axis_text(image.w)) << "};\n";
}

/// The convolution as a contraction of positions, outputs and elements of windows, or of patches by the other way there is.
inline Verdict contract_image(KernelCtx& ctx, const ConvForm& form, const Tensor& w, int64_t inputs,
                              int64_t outputs) {
  DimTable& dims = ctx.dims;
  const DType dtype = ctx.in(0).dtype;
  const Dim one = dims.constant(1), images = ctx.in(0).shape[0];
  const bool pointwise = is_pointwise(ctx, form);
  const std::span<const Dim> strides = ctx.in_strides(0);
  ConvImage image =
      pointwise
          ? ConvImage{ctx.in_pointer(0), ctx.in_alignment(0), strides[0], strides[1], inputs, form.h, form.w}
          : conv_image(ctx, form, inputs);
  ContractionProblem problem{dims.mul(images, dims.mul(form.h.out, form.w.out)),
                             dims.constant(outputs),
                             dims.constant(image.depth()),
                             {one, one, one, dims.constant(form.group)},
                             0,
                             true,
                             pointwise && dims.is_constant(image.stride_c, 1)};
  const MatrixView matrix = positions_matrix(ctx, form, image);
  problem.constant_b = true;
  if (!pointwise) problem.a_mapped = windows_verdict(dims, form, image);
  problem.copy_bytes = pointwise ? copy_bytes(dims, matrix) : image_copy_bytes(dims, dtype, image);
  if (image.packed) problem.before = pack_cost(ctx, image);
  const std::vector<ImageTiling> tilings = image_tilings(ctx, form, inputs, outputs);
  const TileChoice choice = choose_tile(ctx, problem, dtype, image_tactics(ctx, form, outputs, tilings));
  if (choice.other) {
    add_image_conv(ctx, form, w, tilings[*choice.other]);
    return Verdict::yes();
  }
  if (image.packed) pack_image(ctx, form, inputs, image);
  const MatrixView weights = weights_matrix(ctx, form, w, outputs, inputs, image);
  KernelText operands;
  const bool by_windows = !pointwise && choice.tile.mapped > 1;
  if (pointwise) define_a(operands, dims, matrix, problem, choice.tile);
  else if (by_windows) define_windows(operands, dims, image, images, dtype, choice.tile.m);
  else define_image(operands, dims, form, image, dtype, problem.copy_bytes);
  define_b(operands, dims, weights, problem, choice.tile);
  add_contraction(ctx, problem, choice.tile, dtype, operands,
                  conv_epilogue(ctx, form, outputs, 8, form.group > 1),
                  by_windows ? "providers/nvrtc/device/conv_map.cuh" : "providers/nvrtc/device/conv.cuh");
  return Verdict::yes();
}

/// The whole hook: operands (x, w[, bias]); w is a constant.
inline Verdict conv_kernel(KernelCtx& ctx, const ConvForm& form) {
  if (Verdict v = product_type_verdict(ctx.in(0).dtype); !v) return v;
  const Tensor* w = ctx.constant_operand(1);
  if (!w) return Verdict::no("the weights are computed, not stored");
  const auto channels = ctx.dims.value(ctx.in(0).shape[1]);
  if (!channels) return Verdict::no("the number of channels is not known");
  const int64_t inputs = *channels / form.group;
  const int64_t outputs = form.transposed ? w->shape()[1] : w->shape()[0] / form.group;
  if (!form.transposed && inputs == 1 && form.group > 1 && w->count() > 0)
    return depthwise_kernel(ctx, form, *w);
  return contract_image(ctx, form, *w, inputs, outputs);
}

}  // namespace burnish
