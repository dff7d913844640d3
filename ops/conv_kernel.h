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

/// The whole hook: operands (x, w[, bias]); w is a constant.
inline Verdict conv_kernel(KernelCtx& ctx, const ConvForm& form) {
  DimTable& dims = ctx.dims;
  const DType dtype = ctx.in(0).dtype;
  if (Verdict v = product_type_verdict(dtype); !v) return v;
  const Tensor* w = ctx.constant_operand(1);
  if (!w) return Verdict::no("the weights are computed, not stored");
  const auto channels = dims.value(ctx.in(0).shape[1]);
  if (!channels) return Verdict::no("the number of channels is not known");
  const int64_t inputs = *channels / form.group;
  const int64_t outputs = form.transposed ? w->shape()[1] : w->shape()[0] / form.group;
  if (!form.transposed && inputs == 1 && form.group > 1 && w->count() > 0)
    return depthwise_kernel(ctx, form, *w);

  const Dim one = dims.constant(1), zero = dims.constant(0);
  const std::span<const Dim> strides = ctx.in_strides(0);
  const bool single = dims.is_constant(form.h.in, 1) && dims.is_constant(form.w.in, 1);
  const bool pointwise = !form.transposed && form.h.kernel * form.w.kernel == 1 &&
                         form.h.stride * form.w.stride == 1 && form.h.pad + form.w.pad == 0 &&
                         form.h.in == form.h.out && form.w.in == form.w.out &&
                         (single || (form.h.in_stride == dims.mul(form.w.in_stride, form.w.in) &&
                                     strides[0] == dims.mul(form.h.in_stride, form.h.in)));
  ConvImage image =
      pointwise
          ? ConvImage{ctx.in_pointer(0), ctx.in_alignment(0), strides[0], strides[1], inputs, form.h, form.w}
          : conv_image(ctx, form, inputs);
  const Dim positions = dims.mul(ctx.in(0).shape[0], dims.mul(form.h.out, form.w.out));
  ContractionProblem problem{positions,
                             dims.constant(outputs),
                             dims.constant(image.depth()),
                             {one, one, one, dims.constant(form.group)},
                             0,
                             true,
                             pointwise && dims.is_constant(image.stride_c, 1)};
  const MatrixView matrix{image.pointer,  // if positions lie evenly spaced
                          dtype,          single ? strides[0] : form.w.in_stride,
                          strides[1],     {zero, zero, zero, dims.mul(strides[1], dims.constant(inputs))},
                          image.alignment};
  problem.constant_b = true;
  if (!pointwise) problem.a_mapped = windows_verdict(dims, form, image);
  problem.copy_bytes = pointwise ? copy_bytes(dims, matrix) : image_copy_bytes(dims, dtype, image);
  if (image.packed) problem.before = pack_cost(ctx, image);
  const std::vector<ImageTiling> tilings = image_tilings(ctx, form, inputs, outputs);
  const TileChoice choice = choose_tile(ctx, problem, dtype, image_tactics(ctx, form, outputs, tilings));
  if (choice.other) {
    add_image_conv(ctx, form, *w, tilings[*choice.other]);
    return Verdict::yes();
  }
  if (image.packed) pack_image(ctx, form, inputs, image);
  const int64_t chunk = 16 / static_cast<int64_t>(size_of(dtype)),
                pitch = (image.depth() + chunk - 1) / chunk * chunk;
  std::string numbering = form.transposed ? "transposed window" : "window";
  for (int64_t v : {form.group, image.w.kernel * image.channels, image.step_w, image.step_c})
    numbering += " " + std::to_string(v);
  const bool paired = pairs_columns(ctx);
  if (paired) numbering += " paired";
  KernelText operands;
  MatrixView weights{
      ctx.constant_from(1, numbering,
                        [&] { return pack_weights(*w, form, outputs, inputs, image, pitch, paired); }),
      dtype,
      dims.constant(pitch),
      one,
      {zero, zero, zero, dims.constant(outputs * pitch)},
      64};
  const bool by_windows = !pointwise && choice.tile.mapped > 1;
  if (pointwise) {
    define_a(operands, dims, matrix, problem, choice.tile);
  } else if (by_windows) {
    define_windows(operands, dims, image, ctx.in(0).shape[0], dtype, choice.tile.m);
  } else {
    const bool along_k = dims.is_constant(image.stride_c, 1);
    operands << std::string_view(
                    std::string(form.transposed ? "const ConvTransposeOperand<" : "const ConvOperand<") +
                    std::string(device_type(dtype)) + ", Major::" + (along_k ? "k" : "mn") + ", " +
                    std::to_string(problem.copy_bytes) + "> a{")
             << image.pointer << " + batch.at[3] * "
             << dims.mul(image.stride_c, dims.constant(image.channels)) << ", " << image.stride_n << ", "
             << image.stride_c << ", " << image.h.in_stride << ", " << image.w.in_stride
             << std::string_view(", " + std::to_string(image.channels) + ", ");
    append(operands, axis_text(image.h)) << ", ";
    append(operands, axis_text(image.w)) << "};\n";
  }
  define_b(operands, dims, weights, problem, choice.tile);
  add_contraction(ctx, problem, choice.tile, dtype, operands,
                  conv_epilogue(ctx, form, outputs, 8, form.group > 1),
                  by_windows ? "providers/nvrtc/device/conv_map.cuh" : "providers/nvrtc/device/conv.cuh");
  return Verdict::yes();
}

}  // namespace burnish
