#pragma once

#include <algorithm>

#include "ir/gpu.h"
#include "ops/conv_form.h"
#include "ops/deferred_weights.h"

namespace burnish {

/// How a convolution of few channels is cut into tiles: device text `ImageConv<…>` (image_conv.cuh says what the numbers mean).
struct ImageTiling {
  int64_t rows, columns;  // of a warp: rows of 16 positions, channels at a time
  int64_t inputs, passes,
      steps;  // channels of the image; `columns` of the result; 16 of k in a row of the window
  int64_t patch_h, patch_w;

  static constexpr int64_t warps = 4, threads = 32 * warps, width = 16;

  ImageTiling(const ConvForm& form, int64_t inputs, int64_t outputs, int64_t rows, int64_t columns)
      : rows(rows),
        columns(columns),
        inputs(inputs),
        passes((outputs + columns - 1) / columns),
        steps((form.w.kernel + 3) / 4),
        patch_h((warps * rows - 1) * form.h.stride + form.h.kernel),
        patch_w((width - 1) * form.w.stride + steps * 4) {}

  int64_t weight_count(const ConvForm& form) const { return passes * columns * form.h.kernel * steps * 16; }
  int64_t shared_bytes(const ConvForm& form) const {
    return 2 * weight_count(form) + 2 * patch_h * patch_w * 8;
  }
  /// Elements of the image that a thread has under way.
  int64_t held() const {
    const int64_t lines = std::max<int64_t>(threads / patch_w, 1);
    return (patch_h + lines - 1) / lines * inputs;
  }
  /// Sums, what one row of windows keeps for the next ones, and elements under way; the rest is what else NVRTC uses.
  int64_t registers(const ConvForm& form) const {
    constexpr int64_t rest = 42;
    const int64_t window = std::min(form.h.kernel, (rows - 1) * form.h.stride + 1);
    return rows * columns / 2 + window * steps * 4 + held() + rest;
  }
  /// Blocks that a multiprocessor of an H200 has room for.
  int64_t resident(const ConvForm& form) const {
    constexpr int64_t each = 512;  // registers: of a thread, if it is one block
    return std::min({h200::shared_of_block / (shared_bytes(form) + h200::shared_beside_block),
                     each / ((registers(form) + 7) / 8 * 8), int64_t{6}});
  }
  int64_t products(const ConvForm& form) const { return rows * columns / 8 * form.h.kernel * steps; }
  Verdict verdict(const ConvForm& form) const {
    constexpr int64_t unrolled = 1024, under_way = 64;
    if (patch_w > threads) return Verdict::no("a row of the patch is longer than a block");
    if (shared_bytes(form) > shared_of_any_block)
      return Verdict::no("patch and weights do not fit into shared memory");
    if (held() > under_way || registers(form) > 250 || products(form) > unrolled)
      return Verdict::no("the window is too large");
    return Verdict::yes();
  }
};

/// Whether the image can be read as it lies: rows of the matrix must begin at multiples of 16 bytes in the patch.
inline Verdict image_conv_verdict(KernelCtx& ctx, const ConvForm& form, int64_t inputs, int64_t outputs) {
  if (form.transposed || form.group != 1 || !form.planar)
    return Verdict::no("not a convolution of one group over two axes");
  if (size_of(ctx.in(0).dtype) != 2) return Verdict::no("patches have elements of 16 bits");
  if (inputs < 1 || inputs > 4) return Verdict::no("pixels of patches have 1 to 4 channels");
  if (form.h.dilation != 1 || form.w.dilation != 1) return Verdict::no("taps of patches lie side by side");
  if (form.w.stride % 2 != 0) return Verdict::no("windows that are an odd number of pixels apart");
  if (outputs < 1 || form.h.kernel * form.w.kernel < 1) return Verdict::no("nothing to multiply");
  if (pairs_columns(ctx)) return Verdict::no("halves of the result's channels do not come together");
  return Verdict::yes();
}

inline std::vector<ImageTiling> image_tilings(KernelCtx& ctx, const ConvForm& form, int64_t inputs,
                                              int64_t outputs) {
  std::vector<ImageTiling> tilings;
  const Verdict verdict = image_conv_verdict(ctx, form, inputs, outputs);
  ctx.decline("image", verdict);
  if (!verdict) return tilings;
  const int64_t columns = (outputs + 31) / 32 % 2 == 0 ? 64 : 32;
  for (const int64_t rows : {1, 2, 4}) {
    const ImageTiling tiling(form, inputs, outputs, rows, columns);
    if (rows * columns <= 128 && tiling.verdict(form)) tilings.push_back(tiling);
  }
  return tilings;
}

/// Their names and what they take on an H200, in microseconds.
inline std::vector<Tactic> image_tactics(KernelCtx& ctx, const ConvForm& form, int64_t outputs,
                                         std::span<const ImageTiling> tilings) {
  constexpr double start = 3, product = 3.7e-3, instruction = 5.7e-4, bytes_per_microsecond = 4e6;
  const int64_t images = ctx.usual(ctx.in(0).shape[0]), out_h = ctx.usual(form.h.out),
                out_w = ctx.usual(form.w.out);
  std::vector<Tactic> tactics;
  for (const ImageTiling& t : tilings) {
    const int64_t height = t.warps * t.rows;
    const int64_t tiles = images * ((out_h + height - 1) / height) * ((out_w + t.width - 1) / t.width);
    const int64_t waves = (tiles + h200::multiprocessors - 1) / h200::multiprocessors;
    const auto products = static_cast<double>(t.products(form) * t.passes),
               others = static_cast<double>(t.rows * t.columns / 2 * t.passes * 5 + t.held() * 10 + 100);
    const int64_t elements =
        images * (ctx.usual(form.h.in) * ctx.usual(form.w.in) * t.inputs + out_h * out_w * outputs);
    tactics.push_back(
        {"image " + std::to_string(height) + "x" + std::to_string(t.width) + "x" + std::to_string(t.columns),
         start + static_cast<double>(waves) * (products * product + others * instruction) +
             2 * static_cast<double>(elements) / bytes_per_microsecond});
  }
  return tactics;
}

/// ONNX weights in the order in which lanes hold them (image_conv.cuh).
inline Tensor image_conv_weights(const Tensor& w, const ConvForm& form, const ImageTiling& t) {
  const int64_t outputs = w.shape()[0];
  return deferred_weights(w, {t.weight_count(form)}, [=]<class T>(const T* from, T* to) {
    for (int64_t n = 0; n < outputs; ++n)
      for (int64_t c = 0; c < t.inputs; ++c)
        for (int64_t kh = 0; kh < form.h.kernel; ++kh)
          for (int64_t kw = 0; kw < form.w.kernel; ++kw) {
            const int64_t k = kw % 4 * 4 + c, block = n % 8 / 2, g = n % 32 / 8 * 2 + n % 2, q = k % 8 / 2;
            const int64_t step = (n / 32 * form.h.kernel + kh) * t.steps + kw / 4;
            const int64_t lane = (step * 2 + block / 2) * 32 + g * 4 + q;
            to[lane * 8 + block % 2 * 4 + k / 8 * 2 + k % 2] = *from++;
          }
  });
}

/// Coordinates of the result: position `column + m` of row `row` of `image`, channel n.
inline EpilogueForm image_conv_epilogue(KernelCtx& ctx) {
  EpilogueForm e{.column_axis = 1, .column_step = 8, .captures = {"image", "row", "column"}};
  for (const std::string_view text : {"image", "n", "row", "column + m"})
    e.coordinates.emplace_back() << text;
  add_bias(ctx, e);
  return e;
}

/// Adds the launch of a convolution that reads its image as it lies.
inline void add_image_conv(KernelCtx& ctx, const ConvForm& form, const Tensor& w, const ImageTiling& t) {
  DimTable& dims = ctx.dims;
  const std::span<const Dim> strides = ctx.in_strides(0);
  const std::string type(device_type(ctx.in(0).dtype));
  const Epilogue epilogue = make_epilogue(ctx, image_conv_epilogue(ctx));
  KernelCall call{.headers = {"providers/nvrtc/device/image_conv.cuh"}, .prelude = epilogue.prelude};
  std::string config = "using C = ImageConv<" + type;
  for (int64_t v : {form.h.kernel, form.w.kernel, form.h.stride, form.w.stride, t.rows, t.columns})
    config += ", " + std::to_string(v);
  KernelText& text = call.body;
  text << config + ">;\nconst FewChannelImage<" + type + ", " + std::to_string(t.inputs) + "> x{"
       << ctx.in_pointer(0) << ", {" << strides[0] << ", " << strides[1] << ", " << form.h.in_stride << ", "
       << form.w.in_stride << "}, (int)" << form.h.in << ", (int)" << form.w.in
       << ", " + std::to_string(form.h.pad) + ", " + std::to_string(form.w.pad) + "};\nconvolve_image<C>(x, "
       << ctx.constant(image_conv_weights(w, form, t)) << ", (int)" << ctx.in(0).shape[0] << ", (int)"
       << form.h.out << ", (int)" << form.w.out
       << ", " + std::to_string(w.shape()[0]) + ", [&](int image, int row, int column) {\nreturn ";
  append(text, epilogue.construct) << ";\n});\n";
  const Dim tiles =
      dims.mul(ctx.in(0).shape[0], dims.mul(dims.ceil_div(form.h.out, dims.constant(t.warps * t.rows)),
                                            dims.ceil_div(form.w.out, dims.constant(t.width))));
  call.resident = static_cast<int>(t.resident(form));
  call.grid = {dims.min(tiles, dims.constant(h200::multiprocessors * t.resident(form))), dims.constant(1),
               dims.constant(1)};
  call.block = {static_cast<int>(t.threads), 1, 1};
  call.shared_bytes = static_cast<int>(t.shared_bytes(form));
  ctx.calls.push_back(std::move(call));
}

}  // namespace burnish
