#include "ops/conv.h"

#include <memory>

#include "base/matrix_product.h"
#include "ops/conv_kernel.h"
#include "ops/window.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  static constexpr std::string_view ignored[] = {"kernel_shape"};  // the weights say it
  std::vector<ValueId> inputs{c.input(0), c.input(1)};
  if (c.has_input(2)) inputs.push_back(c.input(2));
  c.bind(0, TRY(c.emit("Conv", TRY(c.attributes(&attr_schema<ConvAttrs>, ignored)), std::move(inputs))));
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 3));
  for (size_t i = 0; i < c.input_count(); ++i)
    if (c.has(i) && (c.in(i).dtype != c.in(0).dtype || !is_float(c.in(0).dtype)))
      return c.error("operands must share one float type, operand " + std::to_string(i) + " is " +
                     std::string(name_of(c.in(i).dtype)));
  if (c.rank(0) != c.rank(1) || c.rank(0) < 3)
    return c.error("an input of shape " + c.dims.text(c.shape(0)) + " does not go with weights of shape " +
                   c.dims.text(c.shape(1)));
  const int64_t group = c.attrs<ConvAttrs>().group;
  if (group < 1) return c.error("group must be positive, got " + std::to_string(group));
  const std::vector<int64_t> kernel = TRY(kernel_extents(c, 1));
  const std::vector<Dim>&x = c.shape(0), &w = c.shape(1);
  TRY(c.unify(x[1], c.dims.mul(w[1], c.dims.constant(group)),
              "the input's channels must be group times axis 1 of the weights"));
  if (auto m = c.dims.value(w[0]); m && *m % group != 0)
    return c.error(std::to_string(*m) + " output channels do not split into " + std::to_string(group) +
                   " groups");
  if (c.has(2)) {
    if (c.rank(2) != 1) return c.error("the bias must have one axis, got shape " + c.dims.text(c.shape(2)));
    TRY(c.unify(c.shape(2)[0], w[0], "the bias must have one element per output channel"));
  }
  std::vector<Dim> shape{x[0], w[0]};
  for (Dim extent : TRY(infer_window(c, c.attrs<ConvAttrs>(), kernel, false))) shape.push_back(extent);
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

// What tap (kd, kh, kw) of channel plane `x` reads at output positions [begin, end), in row-major order.
template <class T>
void unfold(const Window& w, const T* x, std::array<int64_t, 3> tap, int64_t begin, int64_t end, T* to) {
  const WindowAxis &depth = w[0], &height = w[1], &width = w[2];
  const auto [first, last] = width.inside(tap[2]);
  for (int64_t at = begin; at < end;) {
    const int64_t row = at / width.out, from = at % width.out, until = std::min(width.out, from + end - at);
    const int64_t d = depth.at(row / height.out, tap[0]), h = height.at(row % height.out, tap[1]);
    T* line = to + (at - begin) - from;
    at += until - from;
    if (d < 0 || d >= depth.in || h < 0 || h >= height.in) {
      std::fill(line + from, line + until, T(0));
      continue;
    }
    const int64_t a = std::clamp(first, from, until), b = std::clamp(last, a, until);
    const T* source = x + (d * height.in + h) * width.in + width.at(0, tap[2]);
    std::fill(line + from, line + a, T(0));
    if (width.stride == 1) std::copy(source + a, source + b, line + a);
    else
      for (int64_t o = a; o < b; ++o) line[o] = source[o * width.stride];
    std::fill(line + b, line + until, T(0));
  }
}

std::array<int64_t, 3> tap_at(const Window& w, int64_t index) {
  return {index / (w[1].kernel * w[2].kernel), index / w[2].kernel % w[1].kernel, index % w[2].kernel};
}

template <class T>
struct Problem {
  ThreadPool& pool;
  Window window;
  int64_t batch, group, in_channels, out_channels;  // channels per group
  const T *x, *w, *bias;
  T* y;
  int64_t depth() const { return in_channels * tap_count(window); }

  void start_with_bias(T* to, int64_t channel, int64_t channels, int64_t row, int64_t count) const {
    for (int64_t m = 0; m < channels; ++m) std::fill_n(to + m * row, count, bias[channel + m]);
  }
};

// One input channel per output channel: no matrix in it, each tap is added along the rows.
template <class T>
void convolve_depthwise(const Problem<T>& p) {
  const Window& w = p.window;
  const int64_t in = in_count(w), out = out_count(w), taps = tap_count(w),
                channels = p.group * p.out_channels;
  p.pool.parallel_for(p.batch * channels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const int64_t m = plane % channels;
      const T* x = p.x + (plane / channels * p.group + m / p.out_channels) * in;
      T* y = p.y + plane * out;
      std::fill_n(y, out, p.bias ? p.bias[m] : T(0));
      for (int64_t t = 0; t < taps; ++t) {
        const std::array<int64_t, 3> tap = tap_at(w, t);
        const T weight = p.w[m * taps + t];
        const auto [d0, d1] = w[0].inside(tap[0]);
        const auto [h0, h1] = w[1].inside(tap[1]);
        const auto [w0, w1] = w[2].inside(tap[2]);
        for (int64_t d = d0; d < d1; ++d)
          for (int64_t h = h0; h < h1; ++h) {
            const T* from =
                x + (w[0].at(d, tap[0]) * w[1].in + w[1].at(h, tap[1])) * w[2].in + w[2].at(0, tap[2]);
            T* to = y + (d * w[1].out + h) * w[2].out;
            if (w[2].stride == 1)
              for (int64_t o = w0; o < w1; ++o) to[o] += weight * from[o];
            else
              for (int64_t o = w0; o < w1; ++o) to[o] += weight * from[o * w[2].stride];
          }
      }
    }
  });
}

// Weights times the unfolded input, for output positions [begin, end) of one image and group.
template <class T>
void convolve_tile(const Problem<T>& p, int64_t image, int64_t group, int64_t begin, int64_t end,
                   T* unfolded) {
  const int64_t out = out_count(p.window), taps = tap_count(p.window), count = end - begin;
  const T* x = p.x + (image * p.group + group) * p.in_channels * in_count(p.window);
  p.pool.parallel_for(p.depth(), (1 << 14) / (count + 1) + 1, [&](int64_t first, int64_t last) {
    for (int64_t k = first; k < last; ++k)
      unfold(p.window, x + k / taps * in_count(p.window), tap_at(p.window, k % taps), begin, end,
             unfolded + k * count);
  });
  T* y = p.y + (image * p.group + group) * p.out_channels * out + begin;
  if (p.bias) p.start_with_bias(y, group * p.out_channels, p.out_channels, out, count);
  matrix_product(p.pool, p.out_channels, count, p.depth(),
                 MatrixRef<T>{p.w + group * p.out_channels * p.depth(), p.depth(), 1},
                 MatrixRef<T>{unfolded, count, 1}, y, out, p.bias != nullptr);
}

// Windows of one element at every position: the input is already the matrix.
template <class T>
void convolve_pointwise(const Problem<T>& p) {
  const int64_t count = out_count(p.window);
  for (int64_t i = 0; i < p.batch * p.group; ++i) {
    const int64_t group = i % p.group;
    T* y = p.y + i * p.out_channels * count;
    if (p.bias) p.start_with_bias(y, group * p.out_channels, p.out_channels, count, count);
    matrix_product(p.pool, p.out_channels, count, p.in_channels,
                   MatrixRef<T>{p.w + group * p.out_channels * p.in_channels, p.in_channels, 1},
                   MatrixRef<T>{p.x + i * p.in_channels * count, count, 1}, y, count, p.bias != nullptr);
  }
}

template <class T>
void convolve(const Problem<T>& p) {
  const int64_t count = out_count(p.window);
  if (p.batch * count * p.out_channels == 0) return;
  bool pointwise = true;
  for (const WindowAxis& axis : p.window)
    pointwise = pointwise && axis.kernel == 1 && axis.stride == 1 && axis.pad == 0 && axis.out == axis.in;
  if (p.in_channels == 1 && p.out_channels <= 4 && p.group > 1) return convolve_depthwise(p);
  if (pointwise) return convolve_pointwise(p);
  // Tiles whose unfolded input stays in the cache; where they are too few for the threads, the threads share each tile.
  constexpr int64_t cached = 1 << 18;
  const int64_t tile = std::min(count,
                                std::max<int64_t>(192, cached / std::max<int64_t>(p.depth(), 1) / 16 * 16)),
                tiles = (count + tile - 1) / tile;
  const int64_t pieces = p.batch * p.group * tiles;
  auto run = [&](int64_t first, int64_t last) {
    const std::unique_ptr<T[]> unfolded(new T[static_cast<size_t>(p.depth() * tile)]);
    for (int64_t i = first; i < last; ++i) {
      const int64_t begin = i % tiles * tile;
      convolve_tile(p, i / tiles / p.group, i / tiles % p.group, begin, std::min(begin + tile, count),
                    unfolded.get());
    }
  };
  if (pieces >= 2 * p.pool.size()) p.pool.parallel_for(pieces, 1, run);
  else run(0, pieces);
}

Result<> eval(EvalCtx& c) {
  const ConvAttrs& attrs = c.attrs<ConvAttrs>();
  const Shape &x = c.in(0).shape, &w = c.in(1).shape;
  auto run = [&]<class T>(T*) {
    convolve(Problem<T>{c.pool, window_of(attrs, x, c.out(0).shape, std::span(w).subspan(2)), x[0],
                        attrs.group, w[1], w[0] / attrs.group, c.in(0).data<T>(), c.in(1).data<T>(),
                        c.has(2) ? c.in(2).data<T>() : nullptr, c.out(0).data<T>()});
  };
  if (c.in(0).dtype == DType::f64) run(static_cast<double*>(nullptr));
  else run(static_cast<float*>(nullptr));
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  const ConvAttrs& attrs = ctx.attrs<ConvAttrs>();
  if (attrs.auto_pad != "NOTSET") return Verdict::no("SAME padding of an extent that is not known");
  ConvForm form;
  if (Verdict v = conv_form(ctx, attrs, attrs.pads, form); !v) return v;
  return conv_kernel(ctx, form);
}

}  // namespace

extern const OpDef op_conv;
const OpDef op_conv = {.name = "Conv",
                       .attrs = &attr_schema<ConvAttrs>,
                       .import = import,
                       .infer = infer,
                       .eval = eval,
                       .kernel = kernel,
                       .channels_last = true,
                       .epilogue = true};

}  // namespace burnish
