#include "ops/resize/resize.h"

#include <numeric>

#include "base/strided.h"
#include "ir/element.h"
#include "ops/emit.h"
#include "ops/resize/interpolation.h"
#include "ops/resize/resize_kernel.h"

namespace burnish {

namespace {

// An operand that is there and not empty: older models give an empty tensor for none.
ValueId operand(ImportCtx& c, size_t i) {
  if (!c.has_input(i)) return no_value;
  const std::vector<Dim>& shape = c.type(i).shape;
  return shape.size() == 1 && c.dims().is_constant(shape[0], 0) ? no_value : c.input(i);
}

// floor(extents * scales), for scales that are not known when the engine is built.
Result<ValueId> sizes_from_scales(ImportCtx& c, ValueId scales, const std::vector<int64_t>& axes) {
  ValueId shape = TRY(emit_op(c, "Shape", {c.input(0)}));
  if (!axes.empty())
    shape = TRY(emit_op(c, "Gather", {shape, c.constant_integers(axes)}, {{"axis", int64_t{0}}}));
  const ValueId extents = TRY(emit_op(c, "Cast", {shape}, {{"to", DType::f32}}));
  const ValueId product = TRY(emit_op(c, "Floor", {TRY(emit_op(c, "Mul", {extents, scales}))}));
  return emit_op(c, "Cast", {product}, {{"to", DType::i64}});
}

Result<> import(ImportCtx& c) {
  ResizeAttrs attrs;
  ValueId roi = no_value, scales = no_value, sizes = no_value;
  if (c.opset() < 11) {
    attrs.mode = TRY(c.string("mode", "nearest"));
    attrs.coordinate_transformation_mode = "asymmetric";
    attrs.nearest_mode = "simple";
    scales = c.input(1);
  } else {
    attrs = TRY(c.attributes(&attr_schema<ResizeAttrs>)).as<ResizeAttrs>();
    roi = attrs.coordinate_transformation_mode == "tf_crop_and_resize" ? operand(c, 1) : no_value;
    scales = operand(c, 2);
    sizes = operand(c, 3);
  }
  const auto rank = static_cast<int64_t>(c.type(0).shape.size());
  for (int64_t& axis : attrs.axes) axis += axis < 0 ? rank : 0;
  if (attrs.mode == "bilinear") attrs.mode = "linear";
  if (scales != no_value && sizes == no_value && !c.graph().constant(scales))
    sizes = TRY(sizes_from_scales(c, scales, attrs.axes));
  c.bind(0, TRY(c.emit("Resize", attrs, {c.input(0), roi, scales, sizes})));
  return {};
}

template <size_t n>
Result<> expect_one_of(InferCtx& c, const char* what, const std::string& value,
                       const char* const (&names)[n]) {
  std::string all;
  for (const char* name : names) {
    if (value == name) return {};
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  return c.error(std::string(what) + " '" + value + "' is none of " + all);
}

Result<> check(InferCtx& c, const ResizeAttrs& a) {
  TRY(expect_one_of(c, "mode", a.mode, {"nearest", "linear", "cubic"}));
  TRY(expect_one_of(c, "coordinate_transformation_mode", a.coordinate_transformation_mode,
                    {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                     "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"}));
  TRY(expect_one_of(c, "nearest_mode", a.nearest_mode,
                    {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", "simple"}));
  TRY(expect_one_of(c, "keep_aspect_ratio_policy", a.keep_aspect_ratio_policy,
                    {"stretch", "not_larger", "not_smaller"}));
  if (!c.has(2) && !c.has(3)) return c.error("neither scales nor sizes are given");
  if (a.coordinate_transformation_mode == "tf_crop_and_resize" && !c.has(1))
    return c.error("tf_crop_and_resize needs a roi");
  return {};
}

// floor(extent * scale): exact for whole scales and their reciprocals, else the float taken as the fraction
// that it is.
Dim scaled(DimTable& dims, Dim extent, float scale) {
  if (auto e = dims.value(extent)) return dims.constant(static_cast<int64_t>(static_cast<float>(*e) * scale));
  for (int64_t q = 1; q <= 64; ++q) {
    const float p = std::round(scale * static_cast<float>(q));
    if (p >= 1 && p / static_cast<float>(q) == scale)
      return dims.floor_div(dims.mul(extent, dims.constant(static_cast<int64_t>(p))), dims.constant(q));
  }
  int exponent;
  const float mantissa =
      std::frexp(scale, &exponent);  // scale = mantissa * 2^exponent, mantissa * 2^24 whole
  const int shift = std::min(24 - exponent, 40);
  const auto p = static_cast<int64_t>(std::ldexp(mantissa, exponent + shift));
  return dims.floor_div(dims.mul(extent, dims.constant(p)), dims.constant(int64_t{1} << std::max(shift, 0)));
}

std::vector<int64_t> axes_of(const ResizeAttrs& a, size_t rank) {
  std::vector<int64_t> axes = a.axes;
  if (axes.empty())
    for (size_t i = 0; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
  return axes;
}

// keep_aspect_ratio_policy: one scale for all axes, so that the result fits into (or covers) the sizes;
// extents are rounded to
// nearest, halves up. Written into the node as scales and sizes that need no policy.
Result<> keep_aspect(InferCtx& c, const std::vector<int64_t>& axes) {
  ResizeAttrs a = c.attrs<ResizeAttrs>();
  const std::vector<Dim> wanted = TRY(c.content_or_symbols(3));
  double scale = 0;
  std::vector<int64_t> in;
  for (size_t i = 0; i < axes.size() && i < wanted.size(); ++i) {
    const auto extent = c.dims.value(c.shape(0)[static_cast<size_t>(axes[i])]),
               size = c.dims.value(wanted[i]);
    if (!extent || !size || *extent == 0)
      return Error(Code::unsupported, describe(c.node) + ": keep_aspect_ratio_policy '" +
                                          a.keep_aspect_ratio_policy +
                                          "' needs extents that are known when the engine is built")
          .remedy("fix the extents with --shapes");
    in.push_back(*extent);
    const double own = static_cast<double>(*size) / static_cast<double>(*extent);
    scale = i == 0                                       ? own
            : a.keep_aspect_ratio_policy == "not_larger" ? std::min(scale, own)
                                                         : std::max(scale, own);
  }
  std::vector<int64_t> sizes;
  for (int64_t extent : in)
    sizes.push_back(static_cast<int64_t>(std::floor(scale * static_cast<double>(extent) + 0.5)));
  const std::vector<float> scales(in.size(), static_cast<float>(scale));
  const auto count = static_cast<int64_t>(in.size());
  c.node.inputs[2] = c.graph.add_constant(Tensor::of<float>(DType::f32, {count}, scales));
  c.node.inputs[3] = c.graph.add_constant(Tensor::of<int64_t>(DType::i64, {count}, sizes));
  a.keep_aspect_ratio_policy = "stretch";
  c.node.attrs = a;
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 4));
  TRY(check(c, c.attrs<ResizeAttrs>()));
  const std::vector<int64_t> axes = axes_of(c.attrs<ResizeAttrs>(), c.shape(0).size());
  for (int64_t axis : axes) TRY(c.axis(axis, c.rank(0)));
  if (c.has(3) && c.attrs<ResizeAttrs>().keep_aspect_ratio_policy != "stretch") TRY(keep_aspect(c, axes));
  auto expect_count = [&](const char* what, size_t count) -> Result<> {
    if (count == axes.size()) return {};
    return c.error(std::string(what) + " must have " + std::to_string(axes.size()) +
                   " elements, one per axis, got " + std::to_string(count));
  };
  std::vector<Dim> shape = c.shape(0);
  if (c.has(3)) {
    const std::vector<Dim> sizes = TRY(c.content_or_symbols(3));
    TRY(expect_count("sizes", sizes.size()));
    for (size_t i = 0; i < axes.size(); ++i) shape[static_cast<size_t>(axes[i])] = sizes[i];
  } else {
    const Tensor* scales = c.constant(2);
    if (!scales || scales->dtype() != DType::f32)
      return Error(
          Code::unsupported,
          describe(c.node) + ": scales without sizes must be f32 and known when the engine is built");
    TRY(expect_count("scales", static_cast<size_t>(scales->count())));
    for (size_t i = 0; i < axes.size(); ++i) {
      const float scale = scales->data<float>()[i];
      if (!(scale > 0) || std::isinf(scale))
        return c.error("scales must be positive, got " + std::to_string(scale));
      Dim& extent = shape[static_cast<size_t>(axes[i])];
      extent = scaled(c.dims, extent, scale);
    }
  }
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

float real_at(const TensorView& x, int64_t i) {
  return x.dtype == DType::f64 ? static_cast<float>(x.data<double>()[i]) : x.data<float>()[i];
}

// Copies or weighs along one axis: x as [outer, in, inner].
template <class T, class A>
void pass(ThreadPool& pool, const AxisTable& table, bool copies, const T* x, A* y, int64_t outer, int64_t in,
          int64_t out, int64_t inner) {
  pool.parallel_for(outer * out, (1 << 13) / (inner * table.taps + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t o = row % out;
      const T* from = x + row / out * in * inner;
      A* to = y + row * inner;
      const size_t first = static_cast<size_t>(o * table.taps);
      for (int64_t i = 0; copies && i < inner; ++i)
        to[i] = static_cast<A>(from[table.index[first] * inner + i]);
      if (copies) continue;
      std::fill_n(to, inner, A(0));
      for (size_t t = first; t < first + static_cast<size_t>(table.taps); ++t) {
        const A weight = static_cast<A>(table.weight[t]);
        const T* line = from + table.index[t] * inner;
        if (weight != 0)
          for (int64_t i = 0; i < inner; ++i) to[i] += weight * static_cast<A>(line[i]);
      }
    }
  });
}

template <class T>
void fill_outside(EvalCtx& c, const std::vector<int64_t>& axes, const std::vector<AxisTable>& tables,
                  T value) {
  TensorView& y = c.out(0);
  const std::vector<int64_t> strides = dense_strides(y.shape);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    for (int64_t k = 0; k < y.count(); ++k)
      if (tables[i].outside[static_cast<size_t>(k / strides[axis] % y.shape[axis])]) y.data<T>()[k] = value;
  }
}

template <class T>
void run(EvalCtx& c, const std::vector<int64_t>& axes, const std::vector<AxisTable>& tables) {
  const ResizeAttrs& a = c.attrs<ResizeAttrs>();
  const bool nearest = a.mode == "nearest";
  using A = std::conditional_t<std::is_same_v<T, float>, float, double>;
  const TensorView& x = c.in(0);
  TensorView& y = c.out(0);
  if (y.count() == 0) return;
  Shape shape = x.shape;
  auto walk = [&]<class E>(E*) {  // E: the type between the passes
    std::vector<E> now, next;
    const T* start = x.data<T>();
    bool started = false;
    for (size_t i = 0; i < axes.size(); ++i) {
      const auto axis = static_cast<size_t>(axes[i]);
      if (tables[i].identity) continue;
      const int64_t outer = element_count(std::span(shape).first(axis)), in = shape[axis];
      const int64_t inner = element_count(std::span(shape).subspan(axis + 1)), out = y.shape[axis];
      next.resize(static_cast<size_t>(outer * out * inner));
      if (started) pass(c.pool, tables[i], nearest, now.data(), next.data(), outer, in, out, inner);
      else pass(c.pool, tables[i], nearest, start, next.data(), outer, in, out, inner);
      std::swap(now, next);
      shape[axis] = out;
      started = true;
    }
    for (int64_t i = 0; i < y.count(); ++i)
      y.data<T>()[i] = started ? static_cast<T>(now[static_cast<size_t>(i)]) : start[i];
  };
  if constexpr (std::is_same_v<T, bool>) {
    walk(static_cast<uint8_t*>(nullptr));
  } else {
    if (nearest) walk(static_cast<T*>(nullptr));
    else walk(static_cast<A*>(nullptr));
  }
  if (a.coordinate_transformation_mode == "tf_crop_and_resize")
    fill_outside<T>(c, axes, tables, static_cast<T>(a.extrapolation_value));
}

Result<> eval(EvalCtx& c) {
  const ResizeAttrs& a = c.attrs<ResizeAttrs>();
  const Shape &in = c.in(0).shape, &out = c.out(0).shape;
  const std::vector<int64_t> axes = axes_of(a, in.size());
  std::vector<AxisTable> tables;
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    ResizeAxis x{in[axis], out[axis], 0, static_cast<float>(out[axis])};
    if (x.in == 0 && x.out > 0)
      return c.error("axis " + std::to_string(axis) + " is empty, nothing can be read from it");
    if (c.has(2)) {
      x.scale = real_at(c.in(2), static_cast<int64_t>(i));
      const float length = x.scale * static_cast<float>(x.in);
      if (std::abs(length - x.length) > 1e-3f) x.length = length;
    } else {
      x.scale = static_cast<float>(x.out) / static_cast<float>(x.in);
    }
    if (c.has(1)) {
      x.roi_begin = real_at(c.in(1), static_cast<int64_t>(i));
      x.roi_end = real_at(c.in(1), static_cast<int64_t>(i + axes.size()));
    }
    tables.push_back(axis_table(a, x));
  }
  return visit_storage(c.in(0).dtype, [&]<class T>(T*) -> Result<> {
    if constexpr (std::is_arithmetic_v<T>) run<T>(c, axes, tables);
    return {};
  });
}

Verdict kernel(KernelCtx& ctx) { return ResizeKernel(ctx).run(); }

}  // namespace

extern const OpDef op_resize;
const OpDef op_resize = {.name = "Resize",
                         .attrs = &attr_schema<ResizeAttrs>,
                         .import = import,
                         .infer = infer,
                         .eval = eval,
                         .kernel = kernel,
                         .content_operands = 1u << 3,
                         .exact_operands = 0b110,
                         .keeps_order = true};

}  // namespace burnish
