#include "base/strided.h"
#include "ops/elements.h"
#include "ops/kernel_axes.h"

namespace burnish {

namespace {

/// mode: constant, reflect, edge, wrap. Inputs: x, pads (begins, then ends; negative ones cut), value, axes.
struct PadAttrs {
  std::string mode = "constant";
  BURNISH_REFLECT(PadAttrs, mode)
};

Tensor scalar_of(DType dtype, float value) {
  Tensor tensor = Tensor::zeros(dtype, {});
  visit_storage(dtype, [&]<class T>(T*) {
    T* to = reinterpret_cast<T*>(tensor.writable());
    if constexpr (std::is_same_v<T, half>) *to = to_half(value);
    else if constexpr (std::is_same_v<T, bfloat16>) *to = to_bfloat16(value);
    else *to = static_cast<T>(value);
  });
  return tensor;
}

// Pads and value are attributes before opset 11. Only constants are padded with a value.
Result<> import(ImportCtx& c) {
  const PadAttrs attrs{TRY(c.string("mode", "constant"))};
  std::vector<ValueId> inputs{c.input(0), c.input(1), c.input(2), c.input(3)};
  if (c.opset() < 11) {
    inputs = {c.input(0), c.constant_integers(TRY(c.integers("pads"))), no_value, no_value};
    if (const float value = TRY(c.real("value", 0.0f)); value != 0)
      inputs[2] = c.constant(scalar_of(c.type(0).dtype, value));
  }
  if (attrs.mode != "constant") inputs[2] = no_value;
  c.bind(0, TRY(c.emit("Pad", attrs, std::move(inputs))));
  return {};
}

Result<std::vector<int64_t>> axes_of(InferCtx& c) {
  std::vector<int64_t> axes;
  if (c.has(3)) axes = TRY(c.constant_content(3, "axes"));
  for (int64_t& axis : axes) axis = TRY(c.axis(axis, c.rank(0)));
  for (int64_t i = 0; !c.has(3) && i < c.rank(0); ++i) axes.push_back(i);
  return axes;
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(2, 4));
  const std::string& mode = c.attrs<PadAttrs>().mode;
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap")
    return c.error("mode '" + mode + "' is none of constant, reflect, edge, wrap");
  const std::vector<Dim> pads = TRY(c.content_or_symbols(1, {-DimTable::unbounded, DimTable::unbounded}));
  const std::vector<int64_t> axes = TRY(axes_of(c));
  if (pads.size() != 2 * axes.size())
    return c.error("has " + std::to_string(pads.size()) + " pads for " + std::to_string(axes.size()) +
                   " axes; there must be two for each");
  std::vector<Dim> shape = c.shape(0);
  for (size_t k = 0; k < axes.size(); ++k) {
    Dim& extent = shape[static_cast<size_t>(axes[k])];
    extent = c.dims.add(extent, c.dims.add(pads[k], pads[k + axes.size()]));
    if (c.dims.range(extent).hi < 0)
      return c.error("axis " + std::to_string(axes[k]) + " would have extent " + c.dims.text(extent));
    extent = c.dims.max(extent, c.dims.constant(0));
  }
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

// Where element i of an axis padded at its begin comes from; -1: the pad value.
int64_t source(const std::string& mode, int64_t i, int64_t begin, int64_t extent) {
  const int64_t at = i - begin;
  if (at >= 0 && at < extent) return at;
  if (mode == "constant" || extent == 0) return -1;
  if (mode == "edge") return std::clamp<int64_t>(at, 0, extent - 1);
  if (mode == "wrap") return ((at % extent) + extent) % extent;
  if (extent == 1) return 0;
  const int64_t period = 2 * (extent - 1), phase = ((at % period) + period) % period;
  return phase < extent ? phase : period - phase;
}

Result<> eval(EvalCtx& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  const std::vector<int64_t> pads = integers_of(c.in(1));
  std::vector<int64_t> axes, begins(x.shape.size());
  if (c.has(3)) axes = integers_of(c.in(3));
  for (int64_t i = 0; !c.has(3) && i < x.rank(); ++i) axes.push_back(i);
  for (size_t k = 0; k < axes.size(); ++k)
    begins[static_cast<size_t>(axes[k] < 0 ? axes[k] + x.rank() : axes[k])] = pads[k];

  std::vector<std::vector<int64_t>> from(x.shape.size());
  const std::vector<int64_t> strides = dense_strides(x.shape), own = dense_strides(y.shape);
  for (size_t i = 0; i < from.size(); ++i)
    for (int64_t k = 0; k < y.shape[i]; ++k)
      from[i].push_back(source(c.attrs<PadAttrs>().mode, k, begins[i], x.shape[i]));
  visit_size(size_of(x.dtype), [&]<class T>(T*) {
    const T fill = c.has(2) && c.in(2).count() > 0 ? *c.in(2).data<T>() : T(0);
    c.pool.parallel_for(y.count(), 1 << 13, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        int64_t left = k, offset = 0;
        bool inside = true;
        for (size_t i = 0; i < own.size(); ++i) {
          const int64_t at = from[i][static_cast<size_t>(left / own[i])];
          left %= own[i];
          inside = inside && at >= 0;
          offset += at * strides[i];
        }
        y.data<T>()[k] = inside ? x.data<T>()[offset] : fill;
      }
    });
  });
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const std::vector<Dim>&in = ctx.in(0).shape, &out = ctx.out(0).shape, *pads = ctx.content(1),
        *named = ctx.content(3);
  if (!pads || (ctx.has(3) && !named)) return Verdict::no("the pads are not known before the engine runs");
  std::vector<Dim> begins(in.size(), dims.constant(0));
  for (size_t k = 0; k < pads->size() / 2; ++k) {
    const int64_t axis = named ? dims.value((*named)[k]).value() : static_cast<int64_t>(k);
    begins[static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(in.size()) : axis)] = (*pads)[k];
  }
  // Neighbouring axes without padding are joined where x and y walk them as one.
  std::vector<Dim> y_extents, x_extents, pad, x_strides, y_strides;
  bool plain_before = false;
  for (size_t a = 0; a < in.size(); ++a) {
    const Dim x = ctx.in_strides(0)[a], y = ctx.out_strides(0)[a];
    const bool plain = in[a] == out[a] && dims.is_constant(begins[a], 0);
    if (plain && dims.is_constant(in[a], 1)) continue;
    if (plain && plain_before && x_strides.back() == dims.mul(x, in[a]) &&
        y_strides.back() == dims.mul(y, in[a])) {
      x_extents.back() = y_extents.back() = dims.mul(x_extents.back(), in[a]);
      x_strides.back() = x;
      y_strides.back() = y;
      continue;
    }
    plain_before = plain;
    y_extents.push_back(out[a]);
    x_extents.push_back(in[a]);
    pad.push_back(begins[a]);
    x_strides.push_back(x);
    y_strides.push_back(y);
  }
  const Dim total = dims.product(out);
  const auto size = static_cast<int64_t>(size_of(ctx.in(0).dtype));
  KernelCall call{.headers = {"ops/pad/pad.cuh"}};
  set_launch(dims, call, total, 256, 256);
  call.body << "pad<PadMode::" << ctx.attrs<PadAttrs>().mode << ">("
            << word_pointer(ctx.in_pointer(0), size, true) << ", ";
  if (ctx.has(2)) call.body << word_pointer(ctx.in_pointer(2), size, true);
  else call.body << "(const " << word_type(size) << "*)nullptr";
  call.body << ", " << word_pointer(ctx.out_pointer(0), size, false) << ", "
            << dims_text(y_extents, index_type(dims, total)) << ", " << dims_text(x_extents) << ", "
            << dims_text(pad) << ", " << dims_text(x_strides) << ", " << dims_text(y_strides) << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_pad;
const OpDef op_pad = {.name = "Pad",
                      .attrs = &attr_schema<PadAttrs>,
                      .import = import,
                      .infer = infer,
                      .eval = eval,
                      .kernel = kernel,
                      .content_operands = 0b1010,
                      .keeps_order = true};

}  // namespace burnish
