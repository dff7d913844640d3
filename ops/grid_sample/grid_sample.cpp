#include "base/strided.h"
#include "ir/element.h"
#include "ops/grid_sample/grid_taps.cuh"
#include "ops/kernel_axes.h"

namespace burnish {

namespace {

struct GridSampleAttrs {
  std::string mode = "linear", padding_mode = "zeros";
  int64_t align_corners = 0;
  BURNISH_REFLECT(GridSampleAttrs, mode, padding_mode, align_corners)
};

Result<> import(ImportCtx& c) {
  GridSampleAttrs attrs = TRY(c.attributes(&attr_schema<GridSampleAttrs>)).as<GridSampleAttrs>();
  if (attrs.mode == "bilinear") attrs.mode = "linear";  // of opset 16
  if (attrs.mode == "bicubic") attrs.mode = "cubic";
  c.bind(0, TRY(c.emit("GridSample", attrs, {c.input(0), c.input(1)})));
  return {};
}

int taps_of(const std::string& mode) {
  return mode == "nearest" ? 1 : mode == "linear" ? 2 : mode == "cubic" ? 4 : 0;
}

std::optional<GridPadding> padding_of(const std::string& mode) {
  if (mode == "zeros") return GridPadding::zeros;
  if (mode == "border") return GridPadding::border;
  if (mode == "reflection") return GridPadding::reflection;
  return {};
}

bool is_real(DType t) { return t == DType::f32 || t == DType::f16 || t == DType::bf16 || t == DType::f64; }

Result<> infer(InferCtx& c) {
  const GridSampleAttrs& a = c.attrs<GridSampleAttrs>();
  TRY(c.expect_inputs(2, 2));
  if (taps_of(a.mode) == 0) return c.error("mode '" + a.mode + "' is none of nearest, linear, cubic");
  if (!padding_of(a.padding_mode))
    return c.error("padding_mode '" + a.padding_mode + "' is none of zeros, border, reflection");
  if (c.rank(0) < 3 || c.rank(1) != c.rank(0))
    return c.error("x and grid must be of one rank, 3 at least, and are " + c.dims.text(c.shape(0)) +
                   " and " + c.dims.text(c.shape(1)));
  if (!is_real(c.in(1).dtype)) return c.error("the grid must be of a floating-point type");
  if (a.mode != "nearest" && !is_real(c.in(0).dtype))
    return c.error("mode '" + a.mode + "' is for floating-point types, x is " +
                   std::string(name_of(c.in(0).dtype)));
  TRY(c.unify(c.shape(0)[0], c.shape(1)[0], "x and grid must have the same batch"));
  TRY(c.unify(c.shape(1).back(), c.dims.constant(c.rank(0) - 2),
              "the grid's last axis must have an element for each axis of x after the second"));
  std::vector<Dim> shape = {c.shape(0)[0], c.shape(0)[1]};
  shape.insert(shape.end(), c.shape(1).begin() + 1, c.shape(1).end() - 1);
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

/// An element of a plane of x, and its weight.
struct Tap {
  int64_t offset;
  float weight;
};

/// All that one point of the grid reads of a plane: taps of each axis, multiplied out.
template <int count>
std::vector<Tap> point_taps(const TensorView& grid, int64_t point, std::span<const int64_t> extents,
                            GridPadding padding, bool align_corners) {
  const auto axes = static_cast<int64_t>(extents.size());
  std::vector<Tap> all = {{0, 1}}, next;
  for (int64_t axis = 0; axis < axes; ++axis) {
    const int64_t k = point * axes + axes - 1 - axis, extent = extents[static_cast<size_t>(axis)];
    const float at =
        grid.dtype == DType::f64 ? static_cast<float>(grid.data<double>()[k]) : grid.data<float>()[k];
    const GridTaps<count> taps = grid_taps<count>(at, extent, padding, align_corners);
    next.clear();
    for (const Tap& outer : all)
      for (int i = 0; i < count; ++i)
        if (taps.index[i] >= 0)
          next.push_back({outer.offset * extent + taps.index[i], outer.weight * taps.weight[i]});
    std::swap(all, next);
  }
  return all;
}

template <int count, class T>
void sample(EvalCtx& c, GridPadding padding, bool align_corners) {
  using A = std::conditional_t<std::is_same_v<T, float>, float, double>;
  const TensorView &x = c.in(0), &grid = c.in(1);
  const Shape& shape = c.out(0).shape;
  const std::span<const int64_t> extents = std::span(x.shape).subspan(2);
  const int64_t plane = element_count(extents), channels = shape[1];
  const int64_t points = element_count(std::span(shape).subspan(2));
  c.pool.parallel_for(shape[0] * points, (1 << 10) / (channels + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const std::vector<Tap> taps = point_taps<count>(grid, k, extents, padding, align_corners);
      for (int64_t channel = 0; channel < channels; ++channel) {
        const int64_t at = k / points * channels + channel;
        const T* from = x.data<T>() + at * plane;
        T& to = c.out(0).data<T>()[at * points + k % points];
        if constexpr (count == 1) {
          to = taps.empty() ? T{} : from[taps[0].offset];
        } else {
          A sum = 0;
          for (const Tap& tap : taps) sum += static_cast<A>(tap.weight) * static_cast<A>(from[tap.offset]);
          to = static_cast<T>(sum);
        }
      }
    }
  });
}

Result<> eval(EvalCtx& c) {
  const GridSampleAttrs& a = c.attrs<GridSampleAttrs>();
  const GridPadding padding = *padding_of(a.padding_mode);
  const bool corners = a.align_corners != 0;
  visit_storage(c.in(0).dtype, [&]<class T>(T*) {
    if constexpr (std::is_arithmetic_v<T>) {
      if (a.mode == "nearest") return sample<1, T>(c, padding, corners);
    }
    if constexpr (std::is_floating_point_v<T>) {
      if (a.mode == "linear") return sample<2, T>(c, padding, corners);
      return sample<4, T>(c, padding, corners);
    }
  });
  return {};
}

Verdict kernel(KernelCtx& ctx) {
  DimTable& dims = ctx.dims;
  const GridSampleAttrs& a = ctx.attrs<GridSampleAttrs>();
  const std::vector<Dim>& shape = ctx.out(0).shape;
  const DType dtype = ctx.in(0).dtype;
  if (shape.size() > 5) return Verdict::no("no device kernel that samples along more than three axes");
  if (a.mode != "nearest" && dtype == DType::f64)
    return Verdict::no("no device kernel that interpolates " + std::string(name_of(dtype)));
  const Dim total = dims.product(shape);
  KernelCall call{.headers = {"ops/grid_sample/grid_sample.cuh"}};
  set_launch(dims, call, total, 256, 256);
  call.body << "grid_sample<" << std::to_string(taps_of(a.mode)) << ">(" << ctx.in_pointer(0) << ", "
            << ctx.in_pointer(1) << ", " << ctx.out_pointer(0) << ", GridPadding::" << a.padding_mode << ", "
            << (a.align_corners != 0 ? "true" : "false") << ", "
            << dims_text(std::span(ctx.in(0).shape).subspan(2)) << ", "
            << dims_text(shape, index_type(dims, total)) << ", " << dims_text(ctx.in_strides(0)) << ", "
            << dims_text(ctx.in_strides(1)) << ", " << dims_text(ctx.out_strides(0)) << ");\n";
  ctx.calls.push_back(std::move(call));
  return Verdict::yes();
}

}  // namespace

extern const OpDef op_grid_sample;
const OpDef op_grid_sample = {.name = "GridSample",
                              .attrs = &attr_schema<GridSampleAttrs>,
                              .import = import,
                              .infer = infer,
                              .eval = eval,
                              .kernel = kernel,
                              .exact_operands = 0b10};

}  // namespace burnish
