#pragma once

#include "ops/conv_image.h"

namespace burnish {

/// Whether the copy engine can bring elements of an image's windows, 64 channels of one at a time (im2col mode; the limits are those
/// of cuTensorMapEncodeIm2col for four axes).
inline Verdict windows_verdict(const DimTable& dims, const ConvForm& form, const ConvImage& image) {
  constexpr int64_t most_pad = 128, most_reach = 127, most_step = 8;
  if (form.transposed || form.group != 1)
    return Verdict::no("windows of a group or of a transposed convolution");
  if (image.by_rows) return Verdict::no("windows are read by rows");
  if (image.channels % 64 != 0) return Verdict::no("channels are no multiple of 64");
  for (const KernelAxis* a : {&image.w, &image.h}) {
    const int64_t reach = (a->kernel - 1) * a->dilation;
    if (a->pad > most_pad || a->pad_end - reach > most_reach || reach > most_reach || a->stride > most_step)
      return Verdict::no("windows reach or lie too far apart");
    if (dims.range(a->in).lo < 1 || dims.range(a->in_stride).lo < 1)
      return Verdict::no("the image may be empty, or is repeated");
  }
  return Verdict::yes();
}

/// Defines `a` as the windows of an image, `rows` of them in a tile.
inline void define_windows(KernelText& text, DimTable& dims, const ConvImage& image, Dim images, DType dtype,
                           int rows) {
  TensorMap map{.pointer = image.pointer,
                .extents = {dims.constant(image.channels), image.w.in, image.h.in, images},
                .strides = {image.w.in_stride, image.h.in_stride, image.stride_n},
                .box = {64, static_cast<uint32_t>(rows)}};
  for (const KernelAxis* a : {&image.w, &image.h})
    map.windows.push_back({static_cast<uint32_t>(a->pad), static_cast<uint32_t>(a->pad_end),
                           static_cast<uint32_t>((a->kernel - 1) * a->dilation),
                           static_cast<uint32_t>(a->stride)});
  text << std::string_view("const MappedWindows<" + std::string(device_type(dtype)) + "> a{")
       << std::move(map) << std::string_view(", " + std::to_string(image.channels) + ", ");
  append(text, axis_text(image.h)) << ", ";
  append(text, axis_text(image.w)) << "};\n";
}

}  // namespace burnish
