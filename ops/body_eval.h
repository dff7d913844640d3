#pragma once

#include <cstring>

#include "ir/evaluate_graph.h"
#include "ops/elements.h"

/// What the `eval` of Loop, Scan and If share.
namespace burnish {

template <class T>
Tensor tensor_of(DType dtype, Shape shape, T value) {
  return Tensor::of<T>(dtype, std::move(shape), std::span<const T>(&value, 1));
}

inline std::vector<Tensor> borrowed_operands(const EvalCtx& c) {
  std::vector<Tensor> all(c.input_count());
  for (size_t i = 0; i < all.size(); ++i)
    if (c.has(i)) all[i] = borrowed(c.in(i));
  return all;
}

/// Runs the body once.
inline Result<std::vector<Tensor>> iterate(EvalCtx& c, std::span<const Tensor> inputs, int64_t iteration) {
  return evaluate_graph(c.node.regions[0], inputs, c.pool)
      .during("running iteration " + std::to_string(iteration) + " of " + describe(c.node));
}

/// Output i is that tensor.
inline Result<> give(EvalCtx& c, size_t i, const Tensor& tensor) {
  if (!c.wants(i)) return {};
  const TensorView y = TRY(found_extents(c, i, tensor.shape()));
  if (tensor.byte_size() > 0) std::memcpy(y.bytes, tensor.bytes(), tensor.byte_size());
  return {};
}

/// The extents of result v of a body for these operands, of which it takes slices of these shapes, as far as they tell; 0
/// where only running the body would.
inline Shape likely_shape(const Graph& body, ValueId v, std::span<const Tensor> operands,
                          const std::vector<Shape>& shapes) {
  const auto extent = [&](Dim symbol) -> int64_t {
    const auto at = body.origins.find(symbol);
    if (at == body.origins.end()) return 0;
    const auto& [kind, value, index] = at->second;
    for (size_t k = 0; k < operands.size(); ++k) {
      if (body.inputs[k] != value) continue;
      if (kind == SymbolOrigin::Kind::input) return shapes[k][index];
      const Tensor& x = operands[k];
      if (kind == SymbolOrigin::Kind::content && x.bytes() && index < x.count())
        return integer_element(x, index);
    }
    return 0;
  };
  Shape shape;
  for (Dim d : body.values[v].type.shape)
    shape.push_back(std::max<int64_t>(body.dims->evaluate(d, extent), 0));
  return shape;
}

/// How slices of one iteration each lie in an output: along `axis` of the result, the last one first if `backward`.
/// `if_none`: the shape of a slice, where there was no iteration.
struct Stacking {
  Shape if_none;
  int64_t axis = 0;
  bool backward = false;
};

/// Output i is those slices, one for each iteration.
inline Result<> stack(EvalCtx& c, size_t i, const std::vector<Tensor>& slices, const Stacking& how) {
  if (!c.wants(i)) return {};
  Shape shape = slices.empty() ? how.if_none : slices[0].shape();
  for (size_t k = 1; k < slices.size(); ++k)
    if (slices[k].shape() != shape)
      return c.error("iteration " + std::to_string(k) + " gives output " + std::to_string(i) +
                     " a slice of other extents than iteration 0");
  const auto count = static_cast<int64_t>(slices.size());
  const int64_t axis = how.axis < 0 ? how.axis + static_cast<int64_t>(shape.size()) + 1 : how.axis;
  shape.insert(shape.begin() + axis, count);
  if (slices.empty() && c.out(i).bytes) {  // what the model knows of the other extents is right
    shape = c.out(i).shape;
    shape[static_cast<size_t>(axis)] = 0;
  }
  const TensorView y = TRY(found_extents(c, i, shape));
  const Around around(shape, axis);
  const size_t row = static_cast<size_t>(around.inner) * size_of(y.dtype);
  for (int64_t k = 0; k < count; ++k)
    for (int64_t o = 0; o < around.outer; ++o) {
      const int64_t at = o * count + (how.backward ? count - 1 - k : k);
      if (row > 0)
        std::memcpy(y.bytes + static_cast<size_t>(at) * row,
                    slices[static_cast<size_t>(k)].bytes() + static_cast<size_t>(o) * row, row);
    }
  return {};
}

}  // namespace burnish
