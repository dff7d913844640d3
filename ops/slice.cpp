#include <cstdlib>

#include "base/strided.h"
#include "ops/elements.h"

namespace burnish {

namespace {

// Inputs: x, starts, ends, axes, steps; the last two are constants. An operand before opset 10 is an attribute.
Result<> import(ImportCtx& c) {
  std::vector<ValueId> inputs;
  if (c.opset() >= 10) {
    for (size_t i = 0; i < c.input_count(); ++i) inputs.push_back(c.input(i));
  } else {
    inputs = {c.input(0), c.constant_integers(TRY(c.integers("starts"))),
              c.constant_integers(TRY(c.integers("ends")))};
    if (c.has_attribute("axes")) inputs.push_back(c.constant_integers(TRY(c.integers("axes"))));
  }
  c.bind(0, TRY(c.emit("Slice", {}, std::move(inputs))));
  return {};
}

// One axis cut: elements start, start + step, … as many as `extent`.
struct Cut {
  Dim start, extent;
  int64_t step = 1;
};

// Beyond any extent, and far from overflow.
Dim tamed(DimTable& dims, Dim d) {
  constexpr int64_t far = DimTable::unbounded * 4;
  const auto v = dims.value(d);
  return v ? dims.constant(std::clamp(*v, -far, far)) : d;
}

// An index that counts from the end when negative, kept within [lo, hi].
Dim clamped(DimTable& dims, Dim index, Dim extent, Dim lo, Dim hi) {
  index = tamed(dims, index);
  return dims.select(dims.less(index, dims.constant(0)), dims.max(dims.add(index, extent), lo),
                     dims.min(index, hi));
}

Cut cut_of(DimTable& dims, Dim extent, Dim start, Dim end, int64_t step) {
  const Dim zero = dims.constant(0), before = dims.constant(-1);
  auto steps = [&](Dim distance) {
    return dims.max(dims.ceil_div(distance, dims.constant(std::abs(step))), zero);
  };
  if (step > 0) {
    const Dim from = clamped(dims, start, extent, zero, extent),
              to = clamped(dims, end, extent, zero, extent);
    return {from, steps(dims.sub(to, from)), step};
  }
  const Dim last = dims.sub(extent, dims.constant(1));
  const Dim from = clamped(dims, start, extent, dims.min(zero, last), last);
  const Dim to = clamped(dims, end, extent, before, last);
  return {from, steps(dims.sub(from, to)), step};
}

using Cuts = std::vector<std::optional<Cut>>;  // by axis

Cuts cuts_of(DimTable& dims, std::span<const Dim> shape, const std::vector<Dim>& starts,
             const std::vector<Dim>& ends, const std::vector<int64_t>& axes,
             const std::vector<int64_t>& steps) {
  Cuts cuts(shape.size());
  for (size_t k = 0; k < axes.size(); ++k) {
    const size_t axis =
        static_cast<size_t>(axes[k] < 0 ? axes[k] + static_cast<int64_t>(shape.size()) : axes[k]);
    cuts[axis] = cut_of(dims, shape[axis], starts[k], ends[k], steps[k]);
  }
  return cuts;
}

void fill_defaults(size_t count, std::vector<int64_t>& axes, std::vector<int64_t>& steps, bool has_axes,
                   bool has_steps) {
  for (size_t i = 0; !has_axes && i < count; ++i) axes.push_back(static_cast<int64_t>(i));
  if (!has_steps) steps.assign(count, 1);
}

Result<Cuts> cuts_of(InferCtx& c) {
  const Range any{-DimTable::unbounded, DimTable::unbounded};
  const std::vector<Dim> starts = TRY(c.content_or_symbols(1, any)), ends = TRY(c.content_or_symbols(2, any));
  std::vector<int64_t> axes, steps;
  if (c.has(3)) axes = TRY(c.constant_content(3, "axes"));
  if (c.has(4)) steps = TRY(c.constant_content(4, "steps"));
  fill_defaults(starts.size(), axes, steps, c.has(3), c.has(4));
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    return c.error("starts, ends, axes and steps differ in length");
  std::vector<bool> seen(c.shape(0).size());
  for (size_t k = 0; k < axes.size(); ++k) {
    const auto axis = static_cast<size_t>(TRY(c.axis(axes[k], c.rank(0))));
    if (seen[axis]) return c.error("axis " + std::to_string(axis) + " is named twice");
    seen[axis] = true;
    if (steps[k] == 0) return c.error("axis " + std::to_string(axis) + " has step 0");
  }
  return cuts_of(c.dims, c.shape(0), starts, ends, axes, steps);
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 5));
  const Cuts cuts = TRY(cuts_of(c));
  std::vector<Dim> shape = c.shape(0);
  for (size_t i = 0; i < shape.size(); ++i)
    if (cuts[i]) shape[i] = cuts[i]->extent;
  if (const auto* content = c.content(0); content && shape.size() == 1 && cuts[0]) {
    const auto start = c.dims.value(cuts[0]->start), count = c.dims.value(cuts[0]->extent);
    std::vector<Dim> kept;
    for (int64_t k = 0; start && count && k < *count; ++k)
      kept.push_back((*content)[static_cast<size_t>(*start + k * cuts[0]->step)]);
    if (start && count) c.out_content(0, std::move(kept));
  } else if (content && shape.size() == 1) {
    c.out_content(0, *content);
  }
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

bool view(ViewCtx& c) {
  const auto starts = operand_dims(c, 1), ends = operand_dims(c, 2);
  if (!starts || !ends) return false;
  std::vector<int64_t> lists[2];
  for (size_t i : {size_t{3}, size_t{4}})
    if (const auto* content = c.content(i))
      for (Dim d : *content) lists[i - 3].push_back(*c.dims.value(d));
  fill_defaults(starts->size(), lists[0], lists[1], c.content(3), c.content(4));
  const Cuts cuts = cuts_of(c.dims, c.in_shape, *starts, *ends, lists[0], lists[1]);
  c.out[0] = c.in;
  for (size_t i = 0; i < cuts.size(); ++i) {
    if (!cuts[i]) continue;
    c.out[0].offset = c.dims.add(c.out[0].offset, c.dims.mul(cuts[i]->start, c.in.strides[i]));
    c.out[0].strides[i] = c.dims.mul(c.in.strides[i], c.dims.constant(cuts[i]->step));
  }
  return true;
}

// For operands that are known only when it runs.
Result<> eval(EvalCtx& c) {
  DimTable dims;
  std::vector<Dim> extents, lists[2];
  for (int64_t extent : c.in(0).shape) extents.push_back(dims.constant(extent));
  for (size_t i : {size_t{1}, size_t{2}})
    for (int64_t v : integers_of(c.in(i))) lists[i - 1].push_back(dims.constant(v));
  std::vector<int64_t> axes, steps;
  if (c.has(3)) axes = integers_of(c.in(3));
  if (c.has(4)) steps = integers_of(c.in(4));
  fill_defaults(lists[0].size(), axes, steps, c.has(3), c.has(4));
  const Cuts cuts = cuts_of(dims, extents, lists[0], lists[1], axes, steps);
  std::vector<int64_t> strides = dense_strides(c.in(0).shape);
  int64_t offset = 0;
  for (size_t i = 0; i < cuts.size(); ++i) {
    if (!cuts[i]) continue;
    offset += *dims.value(cuts[i]->start) * strides[i];
    strides[i] *= cuts[i]->step;
  }
  const size_t size = size_of(c.in(0).dtype);
  if (c.out(0).count() > 0)
    copy_strided(c.pool, size, c.out(0).shape, c.in(0).bytes + offset * static_cast<int64_t>(size), strides,
                 c.out(0).bytes, dense_strides(c.out(0).shape));
  return {};
}

}  // namespace

extern const OpDef op_slice;
const OpDef op_slice = {.name = "Slice",
                        .import = import,
                        .infer = infer,
                        .eval = eval,
                        .view = view,
                        .content_operands = 0b11110};

}  // namespace burnish
