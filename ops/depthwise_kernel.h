#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "ops/conv_form.h"

namespace burnish {

/// What is done to a depthwise convolution's image, in numbers that estimates are made of.
struct DepthwiseExtents {
  int64_t images, out_h, out_w, channels;
  double memory;  // microseconds that an H200 needs to read the image and write the results
};

inline DepthwiseExtents usual_extents(KernelCtx& ctx, const ConvForm& form, int64_t channels) {
  constexpr double bytes_per_microsecond = 4e6;
  DepthwiseExtents e{ctx.usual(ctx.in(0).shape[0]), ctx.usual(form.h.out), ctx.usual(form.w.out), channels,
                     0};
  const int64_t read = ctx.usual(form.h.in) * ctx.usual(form.w.in) * form.group,
                written = e.out_h * e.out_w * channels;
  e.memory = static_cast<double>(e.images * (read + written)) *
             static_cast<double>(size_of(ctx.in(0).dtype)) / bytes_per_microsecond;
  return e;
}

/// Two limits that seldom leave room for each other.
inline double beside(double a, double b) { return std::max(a, b) + 0.2 * std::min(a, b); }

/// Instructions that the multiprocessors of an H200 issue in a microsecond, a warp's as one, and what a launch takes beside.
inline constexpr double depthwise_issued = 132 * 4 * 1400, depthwise_start = 2.5;

/// How threads compute it one by one: `vector` channels of `strip` neighbours along a row, which share what they read of it.
struct DepthwiseStrip {
  int64_t vector, strip;

  Tactic tactic(const ConvForm& form, const DepthwiseExtents& e) const {
    const int64_t columns = (strip - 1) * form.w.stride + (form.w.kernel - 1) * form.w.dilation + 1;
    // Of a row of the window: weights and columns are read and converted, products summed up. Then results are stored.
    const int64_t row = 2 * form.w.kernel + 2 * columns + form.w.kernel * strip;
    const int64_t instructions = vector * (form.h.kernel * row + 5 * strip);
    const auto threads = static_cast<double>(e.images * e.out_h * ((e.channels + vector - 1) / vector) *
                                             ((e.out_w + strip - 1) / strip));
    const double crowded = strip > 4 ? 2 : 1;  // 150 registers: few threads at a time
    // One warp of a scheduler alone issues every fifth cycle or so.
    constexpr double busy = 132 * 4 * 32 * 5;
    const double issue =
        std::max(threads, busy) / 32 * static_cast<double>(instructions) * crowded / depthwise_issued;
    return {"strip " + std::to_string(strip), depthwise_start + beside(e.memory * 1.1, issue)};
  }
};

/// How tensor cores compute it: device text `DepthwiseBand<…>` (depthwise_band.cuh says what the numbers mean).
struct DepthwiseBandTiling {
  int64_t across, pairs, images;
  int64_t patch_rows, depth, chunks, lead, copies;

  DepthwiseBandTiling(const ConvForm& form, int64_t across, int64_t pairs, int64_t images)
      : across(across),
        pairs(pairs),
        images(images),
        patch_rows((rows() - 1) * form.h.stride + (form.h.kernel - 1) * form.h.dilation + 1),
        depth((7 * form.w.stride + (form.w.kernel - 1) * form.w.dilation + 8) / 8),
        chunks((2 * across - 1) * form.w.stride + depth),
        lead((7 * form.w.stride + 1) / 2 * 2),
        copies(form.w.stride % 2 == 0 ? 1 : 2) {}

  int64_t rows() const { return 16 / images; }
  int64_t columns() const { return 16 * across; }
  int64_t channels() const { return 16 * pairs; }
  int64_t threads() const { return 32 * across * pairs; }
  int64_t band() const { return lead + 8 * depth; }
  int64_t shared_bytes(const ConvForm& form) const {
    const int64_t group = 8 * images * patch_rows * 16 * (chunks | 1) + 64 / pairs;
    return channels() * form.h.kernel * copies * band() * 2 + 2 * pairs * group;
  }
  /// Blocks that a multiprocessor of an H200 has room for, at 168 registers a thread.
  int64_t resident(const ConvForm& form) const {
    constexpr int64_t shared = 227 << 10, reserved = 1 << 10, at_once = 65536 / 168;
    return std::min(shared / (shared_bytes(form) + reserved), at_once / threads());
  }
  /// What a warp multiplies and reads of shared memory for 16 channels.
  int64_t products(const ConvForm& form) const { return 32 * form.h.kernel * ((depth + 1) / 2); }
  int64_t reads(const ConvForm& form) const {
    return 16 * form.h.kernel * (2 * (form.w.stride + depth) + depth);
  }
  Verdict verdict(const ConvForm& form) const {
    constexpr int64_t everywhere = 99 << 10, unrolled = 512;
    if (shared_bytes(form) > everywhere) return Verdict::no("the patch does not fit into shared memory");
    if (products(form) > unrolled || depth > 4) return Verdict::no("the window is too large");
    return Verdict::yes();
  }

  Tactic tactic(const ConvForm& form, const DepthwiseExtents& e) const {
    auto pieces = [](int64_t n, int64_t of) { return (n + of - 1) / of; };
    constexpr double multiprocessors = 132, round_trip = 0.9, cycles_per_microsecond = 1700;
    const auto blocks = static_cast<double>(pieces(e.images, images) * pieces(e.out_h, rows()) *
                                            pieces(e.out_w, columns()) * pieces(e.channels, channels()));
    const int64_t items = images * patch_rows * chunks * 4 * 2 * pairs;  // two pixels' 8 channels
    // Of one block: cycles of shared memory, and how long it takes by itself (patches come in rounds of four items a thread).
    const auto shared = static_cast<double>(across * pairs * reads(form) + items / 4);
    const double alone =
        round_trip * static_cast<double>(1 + pieces(items, 4 * threads())) +
        static_cast<double>(2 * reads(form) + products(form) + 1500) / cycles_per_microsecond;
    const double waves = std::ceil(blocks / (multiprocessors * static_cast<double>(resident(form))));
    const double busy = std::max(e.memory, blocks * shared / (multiprocessors * cycles_per_microsecond));
    const std::string name = "band " + std::to_string(images) + "x" + std::to_string(rows()) + "x" +
                             std::to_string(columns()) + "x" + std::to_string(channels());
    return {name, depthwise_start + beside(busy, waves * alone)};
  }
};

/// The tilings that there are for an image whose channels can be read 16 bytes at a time.
inline std::vector<DepthwiseBandTiling> depthwise_bands(const ConvForm& form, const DepthwiseExtents& e) {
  std::vector<DepthwiseBandTiling> bands;
  for (const int64_t across : {1, 2, 4})
    for (const int64_t pairs : {1, 2, 4}) {
      const bool idle = 16 * (across / 2) >= e.out_w || 16 * (pairs / 2) >= e.channels;
      const DepthwiseBandTiling band(form, across, pairs, e.out_h <= 8 && e.images > 1 ? 2 : 1);
      if (across * pairs <= 4 && !idle && band.verdict(form)) bands.push_back(band);
    }
  return bands;
}

/// Weights as threads read them: [kh][kw][channels].
inline Tensor depthwise_weights(const Tensor& w, const ConvForm& form) {
  const int64_t channels = w.shape()[0], taps = form.h.kernel * form.w.kernel;
  Tensor packed = Tensor::zeros(w.dtype(), {taps, channels});
  visit_storage(w.dtype(), [&]<class T>(T*) {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t t = 0; t < taps; ++t)
        reinterpret_cast<T*>(packed.writable())[t * channels + c] = w.data<T>()[c * taps + t];
  });
  return packed;
}

/// Weights as rows of bands: [channels][kh][copies][band], the second copy one element further on.
inline Tensor depthwise_band_weights(const Tensor& w, const ConvForm& form,
                                     const DepthwiseBandTiling& tiling) {
  const int64_t channels = w.shape()[0], rows = channels * form.h.kernel;
  const int64_t whole = (channels + 63) / 64 * 64 * form.h.kernel;
  Tensor packed = Tensor::zeros(w.dtype(), {whole, tiling.copies, tiling.band()});
  visit_storage(w.dtype(), [&]<class T>(T*) {
    auto* to = reinterpret_cast<T*>(packed.writable());
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t copy = 0; copy < tiling.copies; ++copy)
        for (int64_t kw = 0; kw < form.w.kernel; ++kw)
          to[(row * tiling.copies + copy) * tiling.band() + tiling.lead + kw * form.w.dilation - copy] =
              w.data<T>()[row * form.w.kernel + kw];
  });
  return packed;
}

/// "DepthwiseWindow<…>"
inline std::string depthwise_window(const ConvForm& form) {
  std::string window = "DepthwiseWindow<";
  for (int64_t v : {form.h.kernel, form.w.kernel, form.h.stride, form.w.stride, form.h.dilation})
    window += std::to_string(v) + ", ";
  return window + std::to_string(form.w.dilation) + ">";
}

/// A statement that defines `image`.
inline KernelText depthwise_image(KernelCtx& ctx, const ConvForm& form) {
  const std::span<const Dim> strides = ctx.in_strides(0);
  KernelText t;
  t << "const DepthwiseImage<" + std::string(device_type(ctx.in(0).dtype)) + "> image{" << ctx.in_pointer(0)
    << ", " << strides[0] << ", " << strides[1] << ", " << form.h.in_stride << ", " << form.w.in_stride
    << ", (int)" << ctx.in(0).shape[0] << ", " + std::to_string(form.group) + ", (int)" << form.h.in
    << ", (int)" << form.w.in
    << ", " + std::to_string(form.h.pad) + ", " + std::to_string(form.w.pad) + "};\n";
  return t;
}

inline void add_depthwise_strips(KernelCtx& ctx, const ConvForm& form, const Tensor& w, bool aligned,
                                 const DepthwiseStrip& tiling) {
  DimTable& dims = ctx.dims;
  const int64_t channels = w.shape()[0];
  const bool last = dims.is_constant(ctx.in_strides(0)[1], 1);
  const Epilogue epilogue =
      make_epilogue(ctx, conv_epilogue(ctx, form, channels, static_cast<int>(tiling.vector), false));
  KernelCall call{.headers = {"providers/nvrtc/device/depthwise.cuh"}, .prelude = epilogue.prelude};
  KernelText& t = call.body;
  append(t, depthwise_image(ctx, form))
      << "depthwise<" + depthwise_window(form) + ", " + std::to_string(tiling.vector) + ", " +
             std::to_string(tiling.strip) + ", " + std::to_string(channels / form.group) + ">(image, "
      << ctx.constant_from(1, "depthwise", [&] { return depthwise_weights(w, form); }) << ", (int)"
      << form.h.out << ", (int)" << form.w.out
      << std::string(", ") + (aligned ? "true" : "false") + ", " + (last ? "true" : "false") + ", ";
  append(t, epilogue.construct) << ");\n";
  const Dim strips = dims.ceil_div(form.w.out, dims.constant(tiling.strip));
  const Dim items = dims.mul(dims.mul(ctx.in(0).shape[0], dims.mul(form.h.out, strips)),
                             dims.constant((channels + tiling.vector - 1) / tiling.vector));
  constexpr int threads = 128;
  call.grid = {dims.ceil_div(items, dims.constant(threads)), dims.constant(1), dims.constant(1)};
  call.block = {threads, 1, 1};
  ctx.calls.push_back(std::move(call));
}

inline void add_depthwise_band(KernelCtx& ctx, const ConvForm& form, const Tensor& w,
                               const DepthwiseBandTiling& tiling) {
  DimTable& dims = ctx.dims;
  const int64_t channels = w.shape()[0];
  const Epilogue epilogue = make_epilogue(ctx, conv_epilogue(ctx, form, channels, 8, false));
  KernelCall call{.headers = {"providers/nvrtc/device/depthwise_band.cuh"}, .prelude = epilogue.prelude};
  KernelText& t = call.body;
  std::string numbers;
  for (int64_t v : {tiling.across, tiling.pairs, tiling.images}) numbers += ", " + std::to_string(v);
  const std::string weights =
      "bands " + std::to_string(form.w.stride) + " " + std::to_string(form.w.dilation);
  append(t, depthwise_image(ctx, form))
      << "depthwise_band<DepthwiseBand<" + std::string(device_type(ctx.in(0).dtype)) + ", " +
             depthwise_window(form) + numbers + ">>(image, "
      << ctx.constant_from(1, weights, [&] { return depthwise_band_weights(w, form, tiling); }) << ", (int)"
      << form.h.out << ", (int)" << form.w.out << ", ";
  append(t, epilogue.construct) << ");\n";
  auto pieces = [&](Dim extent, int64_t of) { return dims.ceil_div(extent, dims.constant(of)); };
  const Dim across =
      dims.mul(pieces(form.w.out, tiling.columns()), pieces(dims.constant(channels), tiling.channels()));
  const Dim rows = dims.mul(pieces(ctx.in(0).shape[0], tiling.images), pieces(form.h.out, tiling.rows()));
  call.grid = {dims.mul(rows, across), dims.constant(1), dims.constant(1)};
  call.block = {static_cast<int>(tiling.threads()), 1, 1};
  call.shared_bytes = static_cast<int>(tiling.shared_bytes(form));
  call.resident = static_cast<int>(tiling.resident(form));
  ctx.calls.push_back(std::move(call));
}

/// Each output channel reads one input channel.
inline Verdict depthwise_kernel(KernelCtx& ctx, const ConvForm& form, const Tensor& w) {
  DimTable& dims = ctx.dims;
  const std::span<const Dim> strides = ctx.in_strides(0);
  const int64_t channels = w.shape()[0], size = static_cast<int64_t>(size_of(ctx.in(0).dtype));
  const int64_t chunk = 16 / size;
  const bool aligned = dims.is_constant(strides[1], 1) && channels == form.group && channels % chunk == 0 &&
                       ctx.in_alignment(0) % chunk == 0 && divisible(dims, strides[0], chunk) &&
                       divisible(dims, form.h.in_stride, chunk) && divisible(dims, form.w.in_stride, chunk);
  const DepthwiseExtents extents = usual_extents(ctx, form, channels);
  std::vector<Tactic> tactics;
  constexpr std::array<int64_t, 4> strips = {1, 2, 4, 8};
  const int64_t vector = aligned ? chunk : 1;
  for (const int64_t strip : strips) tactics.push_back(DepthwiseStrip{vector, strip}.tactic(form, extents));
  std::vector<DepthwiseBandTiling> bands;
  if (aligned && size == 2) bands = depthwise_bands(form, extents);
  for (const DepthwiseBandTiling& band : bands) tactics.push_back(band.tactic(form, extents));
  const size_t chosen = ctx.choose(std::move(tactics));
  if (chosen < strips.size()) add_depthwise_strips(ctx, form, w, aligned, {vector, strips[chosen]});
  else add_depthwise_band(ctx, form, w, bands[chosen - strips.size()]);
  return Verdict::yes();
}

}  // namespace burnish
