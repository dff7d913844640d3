#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/strided.h"
#include "ir/element.h"
#include "ops/emit.h"
#include "ops/reduce_kernel.h"

namespace burnish {

/// Attributes of every Reduce op. `axes`: those that go, ascending, non-negative; none leaves the shape as it is.
struct ReduceAttrs {
  std::vector<int64_t> axes;
  bool keepdims = true;
  BURNISH_REFLECT(ReduceAttrs, axes, keepdims)
};

namespace reduce_detail {

inline Result<> import(ImportCtx& c) {
  ReduceAttrs attrs{TRY(c.integers("axes")), TRY(c.integer("keepdims", 1)) != 0};
  if (c.has_input(1)) attrs.axes = TRY(constant_operand(c, 1, "axes"));
  const auto rank = static_cast<int64_t>(c.type(0).shape.size());
  if (attrs.axes.empty() && TRY(c.integer("noop_with_empty_axes", 0)) == 0)
    for (int64_t i = 0; i < rank; ++i) attrs.axes.push_back(i);
  c.bind(0, TRY(c.emit(c.op_type(), attrs, {c.input(0)})));
  return {};
}

template <class F>
Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  ReduceAttrs attrs = c.attrs<ReduceAttrs>();
  for (int64_t& axis : attrs.axes) axis = TRY(c.axis(axis, c.rank(0)));
  std::sort(attrs.axes.begin(), attrs.axes.end());
  if (auto twice = std::adjacent_find(attrs.axes.begin(), attrs.axes.end()); twice != attrs.axes.end())
    return c.error("axis " + std::to_string(*twice) + " is named twice");
  if (attrs.axes != c.attrs<ReduceAttrs>().axes) c.node.attrs = attrs;
  std::vector<Dim> shape;
  for (int64_t i = 0; i < c.rank(0); ++i) {
    const bool gone = std::binary_search(attrs.axes.begin(), attrs.axes.end(), i);
    if (!gone || attrs.keepdims)
      shape.push_back(gone ? c.dims.constant(1) : c.shape(0)[static_cast<size_t>(i)]);
  }
  const size_t rank = shape.size();
  c.out(0, c.in(0).dtype, std::move(shape));
  if constexpr (requires { F::content; }) {
    const std::vector<Dim>* x = c.content(0);
    if (!x || c.rank(0) > 1 || rank > 1) return {};
    if (attrs.axes.empty()) {
      c.out_content(0, *x);
    } else if (!x->empty()) {
      Dim all = (*x)[0];
      for (size_t i = 1; i < x->size(); ++i) all = F::content(c.dims, all, (*x)[i]);
      c.out_content(0, {all});
    }
  }
  return {};
}

// The input as lines to be reduced, one per result element: [outer, count, inner], line (o, i) with step `inner`.
struct Lines {
  int64_t outer = 1, count = 1, inner = 1;
  Tensor moved;  // the reduced axes brought together at the end, where they lie apart
};

inline Lines lines_of(EvalCtx& c, const std::vector<int64_t>& axes) {
  const TensorView& x = c.in(0);
  auto reduced = [&](size_t i) {
    return std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(i));
  };
  Lines lines;
  size_t i = 0;
  for (; i < x.shape.size() && (!reduced(i) || x.shape[i] == 1); ++i) lines.outer *= x.shape[i];
  for (; i < x.shape.size() && (reduced(i) || x.shape[i] == 1); ++i) lines.count *= x.shape[i];
  bool together = true;
  for (; i < x.shape.size(); ++i) {
    lines.inner *= x.shape[i];
    together = together && (!reduced(i) || x.shape[i] == 1);
  }
  if (together) return lines;
  const std::vector<int64_t> strides = dense_strides(x.shape);
  std::vector<int64_t> order_strides, shape;
  lines = {};
  for (const bool pass : {false, true})
    for (size_t k = 0; k < x.shape.size(); ++k)
      if (reduced(k) == pass) {
        shape.push_back(x.shape[k]);
        order_strides.push_back(strides[k]);
        (pass ? lines.count : lines.outer) *= x.shape[k];
      }
  lines.moved = Tensor::zeros(x.dtype, shape);
  copy_strided(c.pool, size_of(x.dtype), shape, x.bytes, order_strides, lines.moved.writable(),
               dense_strides(shape));
  return lines;
}

template <class F, class T>
void run(EvalCtx& c) {
  // Sums of floats in double, of integers in 64 bits; what needs a root or a logarithm always in double.
  using A = std::conditional_t<std::is_floating_point_v<T> || F::through_reals, double, int64_t>;
  const Lines lines = lines_of(c, c.attrs<ReduceAttrs>().axes);
  const T* x = lines.moved.bytes() ? lines.moved.data<T>() : c.in(0).template data<T>();
  T* y = c.out(0).template data<T>();
  c.pool.parallel_for(
      lines.outer * lines.inner, (1 << 14) / (lines.count + 1) + 1, [&](int64_t begin, int64_t end) {
        for (int64_t k = begin; k < end; ++k) {
          const T* line = x + k / lines.inner * lines.count * lines.inner + k % lines.inner;
          const int64_t step = lines.inner;
          y[k] = static_cast<T>(
              F::template line<T, A>([=](int64_t i) { return static_cast<A>(line[i * step]); }, lines.count));
        }
      });
}

template <class F>
Result<> eval(EvalCtx& c) {
  return visit_storage(c.in(0).dtype, [&]<class T>(T*) -> Result<> {
    if constexpr (std::is_arithmetic_v<T>) {
      run<F, T>(c);
      return {};
    } else {
      return c.error("is not defined on " + std::string(name_of(c.in(0).dtype)));
    }
  });
}

// "ReduceLogSum" is LogSum in the device text.
inline Verdict kernel(KernelCtx& ctx) {
  const ReduceAttrs& attrs = ctx.attrs<ReduceAttrs>();
  return reduce_kernel(ctx, attrs.axes, attrs.keepdims, std::string(ctx.node.op->name.substr(6)));
}

}  // namespace reduce_detail

/// A whole Reduce op from one function over a line of elements: `template <class T, class A, class X> static A line(X x,
/// int64_t count)`; x(i) is element i as A. With `content`, two symbolic integers are combined.
template <class F>
constexpr OpDef reduction(std::string_view name) {
  OpDef op;
  op.name = name;
  op.attrs = &attr_schema<ReduceAttrs>;
  op.import = reduce_detail::import;
  op.infer = reduce_detail::infer<F>;
  op.eval = reduce_detail::eval<F>;
  op.kernel = reduce_detail::kernel;
  op.epilogue = true;
  op.readings = [](const Graph&, const Node&) { return 1; };
  // Sums and products leave the range of FP16; a mean or an extreme stays in that of its operand.
  op.keeps_f32 = name != "ReduceMean" && name != "ReduceMax" && name != "ReduceMin";
  return op;
}

}  // namespace burnish
