#include "base/strided.h"
#include "ops/scatter.h"

namespace burnish {

namespace {

struct ScatterNDAttrs {
  std::string reduction = "none";
  BURNISH_REFLECT(ScatterNDAttrs, reduction)
};

Result<> infer(InferCtx& c) {
  TRY(c.expect_inputs(3, 3));
  TRY(check_reduction(c, c.attrs<ScatterNDAttrs>().reduction));
  if (c.in(2).dtype != c.in(0).dtype) return c.error("updates and data are of different types");
  const std::vector<Dim>&data = c.shape(0), &indices = c.shape(1), &updates = c.shape(2);
  if (indices.empty()) return c.error("indices need at least one axis");
  const auto depth = c.dims.value(indices.back());
  if (!depth)
    return c.error("the last extent of the indices, " + c.dims.text(indices.back()) + ", must be known when the engine is built");
  std::vector<Dim> wanted(indices.begin(), indices.end() - 1);
  if (*depth <= c.rank(0)) wanted.insert(wanted.end(), data.begin() + *depth, data.end());
  if (*depth > c.rank(0) || wanted.size() != updates.size())
    return c.error("indices of shape " + c.dims.text(indices) + " and updates of shape " + c.dims.text(updates) +
                   " do not fit data of shape " + c.dims.text(data));
  for (size_t i = 0; i < wanted.size(); ++i)
    TRY(c.unify(wanted[i], updates[i], "axis " + std::to_string(i) + " of the updates must fit indices and data"));
  c.out(0, c.in(0));
  return {};
}

Result<> eval(EvalCtx& c) {
  const TensorView &at = c.in(1), &updates = c.in(2), &y = c.out(0);
  TRY(eval_copy(c));
  const int64_t depth = at.shape.back(), tuples = element_count(std::span(at.shape).first(at.shape.size() - 1));
  const std::vector<int64_t> strides = dense_strides(y.shape);
  const int64_t row = element_count(std::span(y.shape).subspan(static_cast<size_t>(depth)));
  std::vector<int64_t> to(static_cast<size_t>(tuples));
  for (int64_t k = 0; k < tuples; ++k)
    for (int64_t j = 0; j < depth; ++j) {
      const auto axis = static_cast<size_t>(j);
      to[static_cast<size_t>(k)] +=
          strides[axis] * TRY(checked_index(c, integer_element(at.dtype, at.bytes, k * depth + j), y.shape[axis]));
    }
  return visit_arithmetic(y.dtype, [&]<class T>(T*) {
    with_join<T>(c.attrs<ScatterNDAttrs>().reduction, [&](auto join) {
      for (int64_t k = 0; k < tuples; ++k) {  // in order: the last of two updates to one place counts
        T* place = y.data<T>() + to[static_cast<size_t>(k)];
        const T* update = updates.data<T>() + k * row;
        for (int64_t i = 0; i < row; ++i) place[i] = join(place[i], update[i]);
      }
    });
  });
}

}  // namespace

extern const OpDef op_scatter_nd;
const OpDef op_scatter_nd = {
    .name = "ScatterND", .attrs = &attr_schema<ScatterNDAttrs>, .infer = infer, .eval = eval};

}  // namespace burnish
