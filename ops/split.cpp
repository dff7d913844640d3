#include "base/strided.h"
#include "ops/elements.h"

namespace burnish {

namespace {

/// Without the operand that gives the parts' extents they are alike; the last is smaller where that does not come out
/// even, or where `even` that is an error.
struct SplitAttrs {
  int64_t axis = 0;
  bool even = false;
  BURNISH_REFLECT(SplitAttrs, axis, even)
};

// Part extents are an attribute before opset 13, then an operand. Since opset 18 the last part may be smaller.
Result<> import(ImportCtx& c) {
  const SplitAttrs attrs{TRY(c.integer("axis", 0)), c.opset() < 18};
  if (const int64_t count = TRY(c.integer("num_outputs", static_cast<int64_t>(c.output_count())));
      count != static_cast<int64_t>(c.output_count()))
    return c.error(Code::invalid_model, "num_outputs is " + std::to_string(count) + ", but it has " +
                                            std::to_string(c.output_count()) + " outputs");
  std::vector<ValueId> inputs{c.input(0)};
  if (c.has_attribute("split")) inputs.push_back(c.constant_integers(TRY(c.integers("split"))));
  else if (c.has_input(1)) inputs.push_back(c.input(1));
  const std::vector<ValueId> parts = TRY(c.emit("Split", attrs, std::move(inputs), c.output_count()));
  for (size_t i = 0; i < parts.size(); ++i) c.bind(i, parts[i]);
  return {};
}

Result<std::vector<Dim>> even_parts(InferCtx& c, Dim extent) {
  const auto count = static_cast<int64_t>(c.output_count());
  const Dim n = c.dims.constant(count);
  if (c.attrs<SplitAttrs>().even) {
    const Dim part = c.dims.floor_div(extent, n);
    TRY(c.unify(extent, c.dims.mul(part, n), "the split extent must divide by " + std::to_string(count)));
    return std::vector<Dim>(c.output_count(), part);
  }
  const Dim part = c.dims.ceil_div(extent, n);
  std::vector<Dim> parts(c.output_count(), part);
  parts.back() = c.dims.sub(extent, c.dims.mul(part, c.dims.constant(count - 1)));
  return parts;
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 2));
  const int64_t axis = TRY(c.axis(c.attrs<SplitAttrs>().axis, c.rank(0)));
  if (axis != c.attrs<SplitAttrs>().axis) c.node.attrs = SplitAttrs{axis, c.attrs<SplitAttrs>().even};
  const Dim extent = c.shape(0)[static_cast<size_t>(axis)];
  const std::vector<Dim> parts = c.has(1) ? TRY(c.content_or_symbols(1)) : TRY(even_parts(c, extent));
  if (parts.size() != c.output_count())
    return c.error("is asked for " + std::to_string(parts.size()) + " parts, but has " +
                   std::to_string(c.output_count()) + " outputs");
  Dim sum = c.dims.constant(0);
  for (Dim d : parts) {
    if (c.dims.range(d).hi < 0) return c.error("asks for a part of extent " + c.dims.text(d));
    sum = c.dims.add(sum, d);
  }
  if (c.has(1))
    TRY(c.unify(extent, sum,
                "the parts together must be axis " + std::to_string(axis) + ", which they split"));
  const std::vector<Dim>* content = c.rank(0) == 1 ? c.content(0) : nullptr;
  size_t from = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    std::vector<Dim> shape = c.shape(0);
    shape[static_cast<size_t>(axis)] = parts[i];
    c.out(i, c.in(0).dtype, std::move(shape));
    const auto count = c.dims.value(parts[i]);
    if (!content || !count || from + static_cast<size_t>(*count) > content->size()) {
      content = nullptr;
      continue;
    }
    const auto begin = content->begin() + static_cast<int64_t>(from);
    c.out_content(i, {begin, begin + *count});
    from += static_cast<size_t>(*count);
  }
  return {};
}

Result<> eval(EvalCtx& c) {
  const int64_t axis = c.attrs<SplitAttrs>().axis;
  const size_t size = size_of(c.in(0).dtype);
  const std::vector<int64_t> strides = dense_strides(c.in(0).shape);
  std::vector<int64_t> parts;
  if (c.has(1)) parts = integers_of(c.in(1));
  const auto count = static_cast<int64_t>(c.output_count());
  const int64_t extent = c.in(0).shape[static_cast<size_t>(axis)];
  int64_t from = 0;
  for (size_t i = 0; i < c.output_count(); ++i) {
    if (c.wants(i) && c.out(i).count() > 0)
      copy_strided(c.pool, size, c.out(i).shape,
                   c.in(0).bytes + from * strides[static_cast<size_t>(axis)] * static_cast<int64_t>(size),
                   strides, c.out(i).bytes, dense_strides(c.out(i).shape));
    from += c.has(1) ? parts[i] : (extent + count - 1) / count;
  }
  return {};
}

bool view(ViewCtx& c) {
  const auto axis = static_cast<size_t>(c.attrs<SplitAttrs>().axis);
  Dim from = c.dims.constant(0);
  // A part that nobody reads still takes its place.
  const Dim n = c.dims.constant(static_cast<int64_t>(c.out.size()));
  const bool even = c.attrs<SplitAttrs>().even;
  const Dim part = even ? c.dims.floor_div(c.in_shape[axis], n) : c.dims.ceil_div(c.in_shape[axis], n);
  const bool given = c.node.inputs.size() > 1;
  const auto parts = given ? operand_dims(c, 1) : std::nullopt;
  if (given && !parts) return false;
  for (size_t i = 0; i < c.out.size(); ++i) {
    c.out[i] = {c.dims.add(c.in.offset, c.dims.mul(from, c.in.strides[axis])), c.in.strides};
    from = c.dims.add(from, given ? (*parts)[i] : part);
  }
  return true;
}

}  // namespace

extern const OpDef op_split;
const OpDef op_split = {.name = "Split",
                        .attrs = &attr_schema<SplitAttrs>,
                        .import = import,
                        .infer = infer,
                        .eval = eval,
                        .view = view,
                        .content_operands = 0b10};

}  // namespace burnish
