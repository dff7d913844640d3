#pragma once

#include "ir/contraction_text.h"
#include "ops/conv_form.h"
#include "ops/deferred_weights.h"
#include "ops/depthwise_kernel.h"
#include "ops/image_conv_kernel.h"
#include "ops/product_kernel.h"

namespace burnish {

/// What a contraction sees of an image: its windows' elements are numbered by tap along `h`, tap along `w` and `channels`
/// elements that lie together.
struct ConvImage {
  OperandPointer pointer;
  int64_t alignment;
  Dim stride_n, stride_c;
  int64_t channels;
  KernelAxis h, w;
  int64_t step_c = 1,
          step_w = channels;  // from number to number, of the next channel and the next tap along a row
  bool packed = false;        // a copy that is still to be made
  bool by_rows =
      false;  // elements of a row of the window take the channels' place, and what is left the taps' along it

  int64_t depth() const { return h.kernel * w.kernel * channels; }
  /// Where element (kh, kw) of a window over channel i has its number.
  int64_t number(int64_t i, int64_t kh, int64_t kw) const {
    return kh * w.kernel * channels + kw * step_w + i * step_c;
  }
};

/// ONNX weights -> [group][outputs per group][elements of a window as the image numbers them], rows `pitch` apart.
inline Tensor pack_weights(const Tensor& w, const ConvForm& form, int64_t outputs, int64_t inputs,
                           const ConvImage& image, int64_t pitch) {
  const int64_t taps = form.h.kernel * form.w.kernel;
  const Shape shape = {form.group * outputs, pitch};
  if (taps == 1 && !form.transposed && image.step_c == 1 && pitch == inputs) return w.reshaped(shape);
  return deferred_weights(w, shape, [=]<class T>(const T* from, T* to) {
    for (int64_t g = 0; g < form.group; ++g)
      for (int64_t o = 0; o < outputs; ++o)
        for (int64_t i = 0; i < inputs; ++i)
          for (int64_t t = 0; t < taps; ++t) {
            const int64_t at = form.transposed ? ((g * inputs + i) * outputs + o) * taps + t
                                               : ((g * outputs + o) * inputs + i) * taps + t;
            to[(g * outputs + o) * pitch + image.number(i, t / form.w.kernel, t % form.w.kernel)] = from[at];
          }
  });
}

inline KernelText axis_text(const KernelAxis& a) {
  KernelText text;
  text << "{(int)" << a.in << ", (int)" << a.out;
  for (int64_t v : {a.kernel, a.stride, a.pad, a.dilation})
    text << std::string_view(", " + std::to_string(v));
  return text << "}";
}

/// Bytes of consecutive channels that a window's elements are copied in: 16, 8 or 4, or 0 where they must be gathered.
inline int image_copy_bytes(DimTable& dims, DType dtype, const ConvImage& image) {
  const int size = static_cast<int>(size_of(dtype));
  for (int bytes = 16; bytes >= std::max(size, 4); bytes /= 2) {
    const int64_t elements = bytes / size;
    auto steps = [&](const KernelAxis& a) {  // from window to window, from tap to tap
      const int64_t between_taps = a.kernel > 1 ? a.dilation : 0;
      const bool whole = image.by_rows && (a.stride | between_taps | a.pad) % elements == 0;
      return whole || divisible(dims, a.in_stride, elements);
    };
    const bool together = dims.is_constant(image.stride_c, 1) && image.channels % elements == 0 &&
                          image.alignment % elements == 0;
    if ((elements == 1 || together) && divisible(dims, image.stride_n, elements) && steps(image.h) &&
        steps(image.w))
      return bytes;
  }
  return 0;
}

/// An image whose rows lie dense, if windows begin and end within them at multiples of what can be copied at once: nothing
/// but patches, say. Channels are planes, or lie together in each pixel: then a row of a window does.
inline std::optional<ConvImage> image_by_rows(KernelCtx& ctx, const ConvForm& form, const ConvImage& image) {
  DimTable& dims = ctx.dims;
  const KernelAxis& w = form.w;
  const Dim one = dims.constant(1);
  const auto between = dims.value(image.stride_c);
  const Dim last = dims.add(dims.mul(dims.sub(w.out, one), dims.constant(w.stride)), dims.constant(w.kernel));
  const bool pixels = between == 1 && dims.is_constant(w.in_stride, image.channels);
  const bool planes = !pixels && between && dims.is_constant(w.in_stride, 1);
  if (form.transposed || form.group != 1 || !(pixels || planes) || w.pad != 0 || w.dilation != 1 ||
      dims.range(dims.sub(w.in, last)).lo < 0 || *between * image.channels > INT32_MAX)
    return {};
  ConvImage rows = image;
  rows.by_rows = true;
  rows.stride_c = one;
  if (pixels) {
    rows.channels = w.kernel * image.channels;
    rows.w.kernel = 1;
  } else {
    rows.channels = rows.step_c = w.kernel;
    rows.step_w = 1;
    rows.w = {dims.constant(*between * image.channels),
              w.out,
              image.channels,
              w.stride,
              0,
              *between,
              one,
              w.out_stride};
  }
  if (image_copy_bytes(dims, ctx.in(0).dtype, rows) < 8) return {};
  return rows;
}

/// Elements of an image that are packed and stored at once.
inline int64_t pack_width(int64_t channels) { return channels <= 4 ? 4 : 8; }

/// A copy of the image, channels last and as many as can be copied at once.
inline ConvImage packed_image(KernelCtx& ctx, const ConvForm& form, const ConvImage& image) {
  DimTable& dims = ctx.dims;
  const int64_t vector = pack_width(image.channels);
  const Dim width = dims.constant((image.channels + vector - 1) / vector * vector);
  ConvImage packed = image;
  packed.packed = true;
  packed.alignment = 64;
  packed.channels = packed.step_w = *dims.value(width);
  packed.stride_c = dims.constant(1);
  packed.w.in_stride = width;
  packed.h.in_stride = dims.mul(width, form.w.in);
  packed.stride_n = dims.mul(width, dims.mul(form.h.in, form.w.in));
  return packed;
}

/// The launch that makes the copy `packed` of the image as it lies.
inline void pack_image(KernelCtx& ctx, const ConvForm& form, int64_t inputs, ConvImage& packed) {
  DimTable& dims = ctx.dims;
  const std::span<const Dim> strides = ctx.in_strides(0);
  const int64_t vector = pack_width(inputs);
  const Dim images = ctx.in(0).shape[0], plane = dims.mul(form.h.in, form.w.in), one = dims.constant(1);
  packed.pointer = ctx.scratch(ctx.in(0).dtype, dims.mul(images, packed.stride_n));
  const Dim items = dims.mul(dims.mul(images, plane), dims.constant(packed.channels / vector));
  constexpr int threads = 256;
  KernelCall call{.headers = {"providers/nvrtc/device/pack_image.cuh"},
                  .grid = {dims.ceil_div(items, dims.constant(threads)), one, one},
                  .block = {threads, 1, 1}};
  call.body << "pack_image<" << std::to_string(packed.channels) << ", " << std::to_string(vector) << ">("
            << ctx.in_pointer(0) << ", ImageStrides{" << strides[0] << ", " << strides[1] << ", "
            << form.h.in_stride << ", " << form.w.in_stride << "}, " << packed.pointer << ", (int)" << images
            << ", " << std::to_string(inputs) << ", (int)" << form.h.in << ", (int)" << form.w.in << ");\n";
  ctx.calls.push_back(std::move(call));
}

/// Microseconds that it takes: a launch, and what it reads and writes.
inline double pack_cost(KernelCtx& ctx, const ConvImage& packed) {
  constexpr double launch = 2, bytes_per_microsecond = 3e6;
  const int64_t elements = ctx.usual(ctx.dims.mul(ctx.in(0).shape[0], packed.stride_n));
  return launch + 2 * static_cast<double>(elements) * static_cast<double>(size_of(ctx.in(0).dtype)) /
                      bytes_per_microsecond;
}

/// The image in the form in which it is copied in the largest pieces.
inline ConvImage conv_image(KernelCtx& ctx, const ConvForm& form, int64_t inputs) {
  const std::span<const Dim> strides = ctx.in_strides(0);
  const ConvImage image{
      ctx.in_pointer(0), ctx.in_alignment(0), strides[0], strides[1], inputs, form.h, form.w};
  if (image_copy_bytes(ctx.dims, ctx.in(0).dtype, image) > 0) return image;
  if (auto rows = image_by_rows(ctx, form, image)) return *std::move(rows);
  return form.group == 1 ? packed_image(ctx, form, image) : image;
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
  KernelText operands;
  MatrixView weights{
      ctx.constant_from(1, numbering, [&] { return pack_weights(*w, form, outputs, inputs, image, pitch); }),
      dtype,
      dims.constant(pitch),
      one,
      {zero, zero, zero, dims.constant(outputs * pitch)},
      64};
  if (pointwise) {
    define_a(operands, dims, matrix, problem, choice.tile);
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
                  conv_epilogue(ctx, form, outputs, 8, form.group > 1), "providers/nvrtc/device/conv.cuh");
  return Verdict::yes();
}

}  // namespace burnish
