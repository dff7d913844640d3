#include "ops/elements.h"

namespace burnish {

namespace {

/// The distinct slices along `axis` (or with `flat` elements), sorted or in the order of first occurrence.
/// Outputs: those, where each first occurs, which of them each slice is, how often each occurs.
struct UniqueAttrs {
  int64_t axis = 0;
  bool flat = false, sorted = true;
  BURNISH_REFLECT(UniqueAttrs, axis, flat, sorted)
};

Result<> import(ImportCtx& c) {
  const UniqueAttrs attrs{TRY(c.integer("axis", 0)), !c.has_attribute("axis"),
                          TRY(c.integer("sorted", 1)) != 0};
  const std::vector<ValueId> made = TRY(c.emit("Unique", attrs, {c.input(0)}, 4));
  for (size_t i = 0; i < made.size(); ++i) c.bind(i, made[i]);
  return {};
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(1, 1));
  UniqueAttrs attrs = c.attrs<UniqueAttrs>();
  std::vector<Dim> shape = c.shape(0);
  if (attrs.flat) shape = {c.dims.product(shape)};
  else attrs.axis = TRY(c.axis(attrs.axis, c.rank(0)));
  if (attrs.axis != c.attrs<UniqueAttrs>().axis) c.node.attrs = attrs;
  Dim& extent = shape[static_cast<size_t>(attrs.axis)];
  const Dim all = extent;
  extent = c.extent_symbol(0, static_cast<uint32_t>(attrs.axis), {0, c.dims.range(all).hi});
  c.out(1, DType::i64, {extent});
  c.out(2, DType::i64, {all});
  c.out(3, DType::i64, {extent});
  c.out(0, c.in(0).dtype, std::move(shape));
  return {};
}

// Equal slices as groups of slice numbers, each ascending; the groups in the order of the result.
template <class T>
std::vector<std::vector<int64_t>> groups_of(const T* x, const Around& around, bool sorted) {
  auto compare = [&](int64_t a, int64_t b) {  // <0, 0, >0; NaNs are alike and last
    for (int64_t o = 0; o < around.outer; ++o)
      for (int64_t i = 0; i < around.inner; ++i) {
        const T u = x[(o * around.extent + a) * around.inner + i],
                v = x[(o * around.extent + b) * around.inner + i];
        if (u < v || (u == u && v != v)) return -1;
        if (v < u || (u != u && v == v)) return 1;
      }
    return 0;
  };
  std::vector<int64_t> order(static_cast<size_t>(around.extent));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return compare(a, b) < 0; });
  std::vector<std::vector<int64_t>> groups;
  for (int64_t i : order) {
    if (groups.empty() || compare(groups.back().front(), i) != 0) groups.emplace_back();
    groups.back().push_back(i);
  }
  if (!sorted)
    std::sort(groups.begin(), groups.end(),
              [](const auto& a, const auto& b) { return a.front() < b.front(); });
  return groups;
}

Result<> eval(EvalCtx& c) {
  const auto& attrs = c.attrs<UniqueAttrs>();
  const TensorView& x = c.in(0);
  const Shape flat{x.count()};
  Shape shape = attrs.flat ? flat : x.shape;
  const Around around(shape, attrs.flat ? 0 : attrs.axis);
  std::vector<std::vector<int64_t>> groups;
  TRY(visit_arithmetic(x.dtype, [&]<class T>(T*) { groups = groups_of(x.data<T>(), around, attrs.sorted); }));
  const auto count = static_cast<int64_t>(groups.size());
  shape[attrs.flat ? 0 : static_cast<size_t>(attrs.axis)] = count;
  if (c.wants(0)) {
    const TensorView y = TRY(found_extents(c, 0, shape));
    const int64_t row = around.inner * static_cast<int64_t>(size_of(x.dtype));
    std::byte* to = y.bytes;
    for (int64_t outer = 0; outer < around.outer; ++outer)
      for (const auto& group : groups)
        to = std::copy_n(x.bytes + (outer * around.extent + group.front()) * row, row, to);
  }
  for (size_t output : {size_t{1}, size_t{3}}) {
    if (!c.wants(output)) continue;
    const TensorView y = TRY(found_extents(c, output, {count}));
    for (size_t k = 0; k < groups.size(); ++k)
      y.data<int64_t>()[k] = output == 1 ? groups[k].front() : static_cast<int64_t>(groups[k].size());
  }
  if (c.wants(2))
    for (size_t k = 0; k < groups.size(); ++k)
      for (int64_t i : groups[k]) c.out(2).data<int64_t>()[i] = static_cast<int64_t>(k);
  return {};
}

}  // namespace

extern const OpDef op_unique;
const OpDef op_unique = {
    .name = "Unique", .attrs = &attr_schema<UniqueAttrs>, .import = import, .infer = infer, .eval = eval};

}  // namespace burnish
