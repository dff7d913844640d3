#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "ir/gpu.h"
#include "ops/conv_form.h"
#include "ops/deferred_weights.h"

namespace burnish {

/// What is done to a depthwise convolution's image, in numbers that estimates are made of.
struct DepthwiseExtents {
  int64_t images, out_h, out_w, channels;
  double memory;  // microseconds that an H200 needs to read the image and write the results
};

inline DepthwiseExtents usual_extents(KernelCtx& ctx, const ConvForm& form, int64_t channels) {
  DepthwiseExtents e{ctx.usual(ctx.in(0).shape[0]), ctx.usual(form.h.out), ctx.usual(form.w.out), channels,
                     0};
  const int64_t read = ctx.usual(form.h.in) * ctx.usual(form.w.in) * form.group,
                written = e.out_h * e.out_w * channels;
  e.memory = static_cast<double>(e.images * (read + written)) *
             static_cast<double>(size_of(ctx.in(0).dtype)) / h200::bytes_read_per_microsecond;
  return e;
}

/// An H200, as estimates need it; they are within a fifth of what tools/kernels/depthwise_tiles.py measures, mostly.
struct DepthwiseMachine {
  static constexpr double multiprocessors = h200::multiprocessors, schedulers = h200::schedulers,
                          cycles_per_microsecond = h200::cycles_per_microsecond, start = 1.7;
  /// Two limits that leave some room for each other.
  static double beside(double a, double b) { return std::max(a, b) + 0.2 * std::min(a, b); }
};

inline int64_t pieces(int64_t n, int64_t of) { return (n + of - 1) / of; }

/// How threads compute it one by one: `vector` channels of `rows` by `strip` neighbours, which share what they read.
struct DepthwiseStrip {
  int64_t vector, rows, strip;

  std::string name(int64_t whole) const {
    return "strip " + (rows > 1 ? std::to_string(rows) + "x" : "") + std::to_string(strip) +
           (vector < whole ? " of " + std::to_string(vector) : "");
  }
  int64_t threads(const DepthwiseExtents& e) const {
    return e.images * pieces(e.out_h, rows) * pieces(e.out_w, strip) * pieces(e.channels, vector);
  }
  /// Microseconds.
  double cost(const ConvForm& form, const DepthwiseExtents& e, int64_t whole) const {
    using Machine = DepthwiseMachine;
    const int64_t columns = (strip - 1) * form.w.stride + (form.w.kernel - 1) * form.w.dilation + 1;
    const int64_t taps = form.h.kernel * form.w.kernel, outputs = rows * strip;
    const int64_t reads = ((rows - 1) * form.h.stride + form.h.kernel) * columns + taps * rows;
    // To convert a number takes nearly as long as two multiplications.
    const auto v = static_cast<double>(vector);
    const double instructions = static_cast<double>(reads) * (2 + 1.7 * v) +
                                static_cast<double>(taps * outputs) * v +
                                6 * v * static_cast<double>(outputs) + 60;
    const int64_t registers = vector * (outputs + rows * std::min(form.w.kernel, strip + 3) + 1) + 30;
    const double resident = std::max<int64_t>(512 / registers, 1);  // warps of a scheduler
    const double all = static_cast<double>(threads(e)) / 32, each = all / Machine::schedulers;
    // One warp alone issues every third cycle.
    const double turns = std::max(each > resident ? std::ceil(each / resident) * resident : each, 3.0);
    const double issue = turns * instructions / Machine::cycles_per_microsecond;
    const double accesses = all * static_cast<double>(reads + 2 * outputs) * std::max(v / 2, 1.0) /
                            (Machine::multiprocessors * Machine::cycles_per_microsecond);
    const double memory = e.memory * (resident < 5 ? 1.4 : 1);  // few warps have few reads under way
    // Estimates alone do not choose what was never timed by itself; fewer channels gained ConvNeXt of one image nothing.
    const double unproven = rows > 1 ? 1.15 : vector < whole ? 2 : 1;
    return Machine::start + unproven * Machine::beside(memory, std::max(issue, accesses));
  }
};

/// The strips that there are, `whole` being the channels that can be read at once: of fewer channels where windows are large, for
/// more threads of less work each; of two rows where they are small and neighbours share most of what they read.
inline std::vector<DepthwiseStrip> depthwise_strips(const ConvForm& form, int64_t whole) {
  std::vector<DepthwiseStrip> strips;
  for (const int64_t strip : {1, 2, 4, 8}) strips.push_back({whole, 1, strip});
  if (whole < 8) return strips;
  const int64_t taps = form.h.kernel * form.w.kernel;
  if (taps > 9) {
    strips.push_back({4, 1, 2});
    strips.push_back({2, 1, 4});
  } else if (form.h.kernel > 1 && form.h.stride == 1) {
    strips.push_back({4, 2, 4});
  }
  return strips;
}

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
    constexpr int64_t at_once = 65536 / 168;
    return std::min(h200::shared_of_block / (shared_bytes(form) + h200::shared_beside_block),
                    at_once / threads());
  }
  /// What a warp multiplies and reads of shared memory for 16 channels.
  int64_t products(const ConvForm& form) const { return 32 * form.h.kernel * ((depth + 1) / 2); }
  int64_t reads(const ConvForm& form) const {
    return 16 * form.h.kernel * (2 * (form.w.stride + depth) + depth);
  }
  Verdict verdict(const ConvForm& form) const {
    constexpr int64_t unrolled = 512, few = 25;
    if (form.h.stride * form.w.stride > 1 || form.h.kernel * form.w.kernel <= few)
      return Verdict::no("to transpose the image takes longer than to multiply it by so few taps");
    if (shared_bytes(form) > shared_of_any_block)
      return Verdict::no("the patch does not fit into shared memory");
    if (products(form) > unrolled || depth > 4) return Verdict::no("the window is too large");
    return Verdict::yes();
  }

  std::string name() const {
    return "band " + std::to_string(images) + "x" + std::to_string(rows()) + "x" + std::to_string(columns()) +
           "x" + std::to_string(channels());
  }
  /// Microseconds.
  double cost(const ConvForm& form, const DepthwiseExtents& e) const {
    using Machine = DepthwiseMachine;
    constexpr double prepare = 0.5, instructions = 1500;
    const auto blocks = static_cast<double>(pieces(e.images, images) * pieces(e.out_h, rows()) *
                                            pieces(e.out_w, columns()) * pieces(e.channels, channels()));
    // Of one block: cycles of shared memory and the cache, where 16 pixels are 16 lines; and microseconds if it is alone. A
    // patch comes in rounds of four items a thread, two pixels' 8 channels each.
    const int64_t items = images * patch_rows * chunks * 4 * 2 * pairs;
    const double cycles =
        1.4 * static_cast<double>(items) + 1.15 * static_cast<double>(across * pairs * (reads(form) + 256));
    const double alone =
        static_cast<double>(1 + pieces(items, 4 * threads())) +
        (2 * static_cast<double>(reads(form)) + instructions) / Machine::cycles_per_microsecond;
    const double waves = std::ceil(blocks / (Machine::multiprocessors * static_cast<double>(resident(form))));
    const double busy = blocks * cycles / (Machine::multiprocessors * Machine::cycles_per_microsecond);
    return Machine::start + prepare + Machine::beside(e.memory, std::max(busy, waves * alone));
  }
};

/// The tilings that there are for an image whose channels can be read 16 bytes at a time.
inline std::vector<DepthwiseBandTiling> depthwise_bands(const ConvForm& form, const DepthwiseExtents& e) {
  std::vector<DepthwiseBandTiling> bands;
  const int64_t images = e.out_h <= 8 && e.images > 1 ? 2 : 1;
  auto offer = [&](int64_t across, int64_t pairs) {
    const bool idle = 16 * (across / 2) >= e.out_w || 16 * (pairs / 2) >= e.channels;
    const DepthwiseBandTiling band(form, across, pairs, images);
    if (!idle && band.verdict(form)) bands.push_back(band);
  };
  offer(1, 2);
  offer(1, 1);
  offer(2, 1);
  offer(4, 1);
  return bands;
}

/// Why there are none.
inline Verdict band_verdict(const ConvForm& form, bool at_once) {
  if (!at_once) return Verdict::no("channels of 16 bits are not read 16 bytes at a time");
  return DepthwiseBandTiling(form, 1, 1, 1).verdict(form);
}

/// Weights as threads read them: [kh][kw][channels].
inline Tensor depthwise_weights(const Tensor& w, const ConvForm& form) {
  const int64_t channels = w.shape()[0], taps = form.h.kernel * form.w.kernel;
  return deferred_weights(w, {taps, channels}, [=]<class T>(const T* from, T* to) {
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t t = 0; t < taps; ++t) to[t * channels + c] = from[c * taps + t];
  });
}

/// Weights as rows of bands: [channels][kh][copies][band], the second copy one element further on.
inline Tensor depthwise_band_weights(const Tensor& w, const ConvForm& form,
                                     const DepthwiseBandTiling& tiling) {
  const int64_t channels = w.shape()[0], rows = channels * form.h.kernel;
  const int64_t whole = (channels + 63) / 64 * 64 * form.h.kernel;
  const Shape shape = {whole, tiling.copies, tiling.band()};
  return deferred_weights(w, shape, [=]<class T>(const T* from, T* to) {
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t copy = 0; copy < tiling.copies; ++copy)
        for (int64_t kw = 0; kw < form.w.kernel; ++kw)
          to[(row * tiling.copies + copy) * tiling.band() + tiling.lead + kw * form.w.dilation - copy] =
              from[row * form.w.kernel + kw];
  });
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
             std::to_string(tiling.rows) + ", " + std::to_string(tiling.strip) + ", " +
             std::to_string(channels / form.group) + ">(image, "
      << ctx.constant_from(1, "depthwise", [&] { return depthwise_weights(w, form); }) << ", (int)"
      << form.h.out << ", (int)" << form.w.out
      << std::string(", ") + (aligned ? "true" : "false") + ", " + (last ? "true" : "false") + ", ";
  append(t, epilogue.construct) << ");\n";
  const Dim strips = dims.mul(dims.ceil_div(form.h.out, dims.constant(tiling.rows)),
                              dims.ceil_div(form.w.out, dims.constant(tiling.strip)));
  const Dim items =
      dims.mul(dims.mul(ctx.in(0).shape[0], strips), dims.constant(pieces(channels, tiling.vector)));
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
  const int64_t whole = aligned ? chunk : 1;
  const std::vector<DepthwiseStrip> strips = depthwise_strips(form, whole);
  std::vector<DepthwiseBandTiling> bands;
  if (aligned && size == 2) bands = depthwise_bands(form, extents);
  if (bands.empty()) ctx.decline("band", band_verdict(form, aligned && size == 2));
  std::vector<Tactic> tactics;
  for (const DepthwiseStrip& s : strips) tactics.push_back({s.name(whole), s.cost(form, extents, whole)});
  for (const DepthwiseBandTiling& b : bands) tactics.push_back({b.name(), b.cost(form, extents)});
  const size_t chosen = ctx.choose(std::move(tactics));
  if (chosen < strips.size()) add_depthwise_strips(ctx, form, w, aligned, strips[chosen]);
  else add_depthwise_band(ctx, form, w, bands[chosen - strips.size()]);
  return Verdict::yes();
}

}  // namespace burnish
