#include "ops/conv_transpose.h"

#include <memory>

#include "base/matrix_product.h"
#include "ops/conv.h"
#include "ops/conv_kernel.h"
#include "ops/window.h"

namespace burnish {

namespace {

Result<> import(ImportCtx& c) {
  static constexpr std::string_view ignored[] = {"kernel_shape"};  // the weights say it
  auto attrs = TRY(c.attributes(&attr_schema<ConvTransposeAttrs>, ignored));
  std::vector<int64_t>& extents = attrs.change<ConvTransposeAttrs>().output_shape;
  const size_t rank = c.type(0).shape.size();
  if (extents.size() == rank && rank > 2)
    extents.erase(extents.begin(), extents.begin() + 2);  // some exporters give all axes
  std::vector<ValueId> inputs{c.input(0), c.input(1)};
  if (c.has_input(2)) inputs.push_back(c.input(2));
  c.bind(0, TRY(c.emit("ConvTranspose", attrs, std::move(inputs))));
  return {};
}

// Turns auto_pad and output_shape into explicit padding where extents are known.
Result<std::vector<Dim>> infer_extents(InferCtx& c, std::span<const int64_t> kernel) {
  ConvTransposeAttrs a = c.attrs<ConvTransposeAttrs>();
  const bool same = a.auto_pad == "SAME_UPPER" || a.auto_pad == "SAME_LOWER",
             upper = a.auto_pad == "SAME_UPPER";
  const std::string auto_pad = a.auto_pad;
  if (same) a.auto_pad = "VALID";  // what SAME means here is not what it means for a window
  const std::vector<int64_t> pads = a.pads;
  TRY(complete_window(c, a, kernel));
  const size_t n = kernel.size();
  if (a.output_padding.empty()) a.output_padding.assign(n, 0);
  if (a.output_padding.size() != n || (!a.output_shape.empty() && a.output_shape.size() != n))
    return c.error("output_padding and output_shape must have " + std::to_string(n) + " elements");
  std::vector<Dim> extents;
  bool known = true;
  for (size_t i = 0; i < n; ++i) {
    const Dim in = c.shape(0)[i + 2];
    const int64_t span = (kernel[i] - 1) * a.dilations[i] + 1;
    Dim full = c.dims.add(c.dims.mul(c.dims.sub(in, c.dims.constant(1)), c.dims.constant(a.strides[i])),
                          c.dims.constant(span + a.output_padding[i]));
    if (same || !a.output_shape.empty()) {
      const Dim wanted = a.output_shape.empty() ? c.dims.mul(in, c.dims.constant(a.strides[i]))
                                                : c.dims.constant(a.output_shape[i]);
      extents.push_back(wanted);
      if (auto all = c.dims.value(c.dims.sub(full, wanted))) {
        const int64_t begin = leading_share(*all, upper);
        a.pads[i] = begin;
        a.pads[n + i] = std::max<int64_t>(*all, 0) - begin;
        a.output_padding[i] += std::max<int64_t>(-*all, 0);
      } else {
        known = false;
      }
    } else {
      extents.push_back(c.dims.sub(full, c.dims.constant(a.pads[i] + a.pads[n + i])));
    }
    if (c.dims.range(extents.back()).hi <= 0 && c.dims.range(in).lo > 0)
      return c.error("nothing is left of axis " + std::to_string(i + 2) + " after padding");
  }
  if (known) {
    a.output_shape.clear();
  } else {
    a.pads.assign(2 * n, 0);
    a.output_padding = c.attrs<ConvTransposeAttrs>().output_padding;
    a.auto_pad = same ? auto_pad : "NOTSET";
  }
  c.node.attrs = a;
  return extents;
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
  const int64_t group = c.attrs<ConvTransposeAttrs>().group;
  if (group < 1) return c.error("group must be positive, got " + std::to_string(group));
  const std::vector<int64_t> kernel = TRY(kernel_extents(c, 1));
  const std::vector<Dim>&x = c.shape(0), &w = c.shape(1);
  TRY(c.unify(x[1], w[0], "the input's channels must be axis 0 of the weights"));
  if (auto channels = c.dims.value(w[0]); channels && *channels % group != 0)
    return c.error(std::to_string(*channels) + " input channels do not split into " + std::to_string(group) +
                   " groups");
  const Dim m = c.dims.mul(w[1], c.dims.constant(group));
  if (c.has(2)) {
    if (c.rank(2) != 1) return c.error("the bias must have one axis, got shape " + c.dims.text(c.shape(2)));
    TRY(c.unify(c.shape(2)[0], m, "the bias must have one element per output channel"));
  }
  std::vector<Dim> shape{x[0], m};
  for (Dim extent : TRY(infer_extents(c, kernel))) shape.push_back(extent);
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

// The window of the Conv that this is the transpose of: it reads y and writes x.
Window window_of_transpose(const ConvTransposeAttrs& a, const Shape& x, const Shape& y, const Shape& w) {
  Window window;
  const size_t n = x.size() - 2;
  for (size_t i = 0; i < n; ++i) {
    WindowAxis& axis = window[3 - n + i];
    axis = {y[i + 2], x[i + 2], w[i + 2], a.strides[i], a.dilations[i], a.pads[i], a.pads[n + i]};
    if (a.output_shape.empty()) continue;
    const int64_t full = (axis.out - 1) * axis.stride + (axis.kernel - 1) * axis.dilation + 1 +
                         (a.output_padding.empty() ? 0 : a.output_padding[i]);
    axis.pad = leading_share(full - axis.in, a.auto_pad == "SAME_UPPER");
  }
  return window;
}

// Adds what each tap gives to channel plane y; row t of `columns` holds tap t at every input position.
template <class T>
void fold(const Window& w, const T* columns, T* y) {
  const int64_t count = out_count(w);
  for (int64_t t = 0; t < tap_count(w); ++t, columns += count) {
    const int64_t td = t / (w[1].kernel * w[2].kernel), th = t / w[2].kernel % w[1].kernel,
                  tw = t % w[2].kernel;
    const auto [d0, d1] = w[0].inside(td);
    const auto [h0, h1] = w[1].inside(th);
    const auto [w0, w1] = w[2].inside(tw);
    for (int64_t d = d0; d < d1; ++d)
      for (int64_t h = h0; h < h1; ++h) {
        const T* from = columns + (d * w[1].out + h) * w[2].out;
        T* to = y + (w[0].at(d, td) * w[1].in + w[1].at(h, th)) * w[2].in + w[2].at(0, tw);
        for (int64_t o = w0; o < w1; ++o) to[o * w[2].stride] += from[o];
      }
  }
}

template <class T>
void run(EvalCtx& c) {
  const ConvTransposeAttrs& attrs = c.attrs<ConvTransposeAttrs>();
  const Shape &x = c.in(0).shape, &w = c.in(1).shape, &y = c.out(0).shape;
  const Window window = window_of_transpose(attrs, x, y, w);
  const int64_t group = attrs.group, channels = w[0] / group, results = w[1], taps = tap_count(window);
  const int64_t in = out_count(window), out = in_count(window), depth = results * taps;
  const T* bias = c.has(2) ? c.in(2).data<T>() : nullptr;
  const std::unique_ptr<T[]> columns(new T[static_cast<size_t>(depth * in)]);
  for (int64_t i = 0; i < x[0] * group; ++i) {
    const int64_t g = i % group;
    matrix_product(c.pool, depth, in, channels,
                   MatrixRef<T>{c.in(1).data<T>() + g * channels * depth, 1, depth},
                   MatrixRef<T>{c.in(0).data<T>() + i * channels * in, in, 1}, columns.get(), in);
    c.pool.parallel_for(results, 1, [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m) {
        T* plane = c.out(0).data<T>() + (i * results + m) * out;
        std::fill_n(plane, out, bias ? bias[g * results + m] : T(0));
        fold(window, columns.get() + m * taps * in, plane);
      }
    });
  }
}

Result<> eval(EvalCtx& c) {
  if (c.in(0).dtype == DType::f64) run<double>(c);
  else run<float>(c);
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  const ConvTransposeAttrs& attrs = ctx.attrs<ConvTransposeAttrs>();
  if (!attrs.output_shape.empty() || attrs.auto_pad != "NOTSET")
    return Verdict::no("a given result extent of an input that is not known");
  ConvForm form{.transposed = true};
  if (Verdict v = conv_form(ctx, attrs, attrs.pads, form); !v) return v;
  return conv_kernel(ctx, form);
}

}  // namespace

extern const OpDef op_conv_transpose;
const OpDef op_conv_transpose = {.name = "ConvTranspose",
                                 .attrs = &attr_schema<ConvTransposeAttrs>,
                                 .import = import,
                                 .infer = infer,
                                 .eval = eval,
                                 .kernel = kernel,
                                 .channels_last = true,
                                 .epilogue = true};

}  // namespace burnish
