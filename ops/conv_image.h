#pragma once

#include "ir/contraction_text.h"
#include "ops/conv_form.h"

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
              0,
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

}  // namespace burnish
