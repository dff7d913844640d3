#include "ops/elements.h"

namespace burnish {

namespace {

// Elements of a vector (or a scalar, repeated) of `count`; empty if they are not known.
std::vector<Dim> repeated(const std::vector<Dim>* content, size_t count) {
  if (!content || (content->size() != count && content->size() != 1)) return {};
  return content->size() == count ? *content : std::vector<Dim>(count, (*content)[0]);
}

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  if (c.in(0).dtype != DType::boolean)
    return c.error("the condition is of type " + std::string(name_of(c.in(0).dtype)) + ", not bool");
  if (c.in(1).dtype != c.in(2).dtype)
    return c.error("operands are of different types, " + std::string(name_of(c.in(1).dtype)) + " and " +
                   std::string(name_of(c.in(2).dtype)));
  const std::vector<Dim> shape = TRY(c.broadcast(TRY(c.broadcast(c.shape(0), c.shape(1))), c.shape(2)));
  c.out(0, c.in(1).dtype, shape);
  const auto extent = shape.empty() ? std::optional<int64_t>(1) : c.dims.value(shape[0]);
  if (shape.size() > 1 || !extent) return {};
  const size_t count = static_cast<size_t>(*extent);
  const std::vector<Dim> condition = repeated(c.content(0), count), yes = repeated(c.content(1), count),
                         no = repeated(c.content(2), count);
  std::vector<Dim> all;
  for (size_t i = 0; i < std::min({condition.size(), yes.size(), no.size()}); ++i)
    all.push_back(c.dims.select(condition[i], yes[i], no[i]));
  if (all.size() == count) c.out_content(0, std::move(all));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView& y = c.out(0);
  StridedLoop loop = broadcast_loop(c, 3);
  visit_size(size_of(y.dtype), [&]<class T>(T*) {
    const int64_t step[] = {loop.strides[0].back(), loop.strides[1].back(), loop.strides[2].back()};
    loop.run<4>(c.pool, [&](const int64_t (&at)[4], int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k)
        y.data<T>()[at[3] + k] = c.in(0).data<bool>()[at[0] + k * step[0]]
                                     ? c.in(1).data<T>()[at[1] + k * step[1]]
                                     : c.in(2).data<T>()[at[2] + k * step[2]];
    });
  });
  return {};
}

std::string scalar(const Attrs&, std::span<const std::string> x) {
  return "prim::where(" + x[0] + ", " + x[1] + ", " + x[2] + ")";
}

}  // namespace

extern const OpDef op_where;
const OpDef op_where = {.name = "Where", .infer = infer, .eval = eval, .scalar = scalar, .keeps_order = true};

}  // namespace burnish
