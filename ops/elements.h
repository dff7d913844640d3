#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/strided.h"
#include "ir/element.h"
#include "ops/emit.h"

namespace burnish {

/// Calls f with a null pointer to an unsigned integer of `size` bytes: for ops that move elements without reading them.
template <class F>
decltype(auto) visit_size(size_t size, F&& f) {
  switch (size) {
    case 1: return f(static_cast<uint8_t*>(nullptr));
    case 2: return f(static_cast<uint16_t*>(nullptr));
    case 4: return f(static_cast<uint32_t*>(nullptr));
    default: return f(static_cast<uint64_t*>(nullptr));
  }
}

/// Calls f with a null pointer of the storage type of a tensor that an `eval` sees (no f16, bf16).
template <class F>
Result<> visit_arithmetic(DType dtype, F&& f) {
  return visit_storage(dtype, [&]<class T>(T*) -> Result<> {
    if constexpr (std::is_arithmetic_v<T>) f(static_cast<T*>(nullptr));
    return {};
  });
}

/// All elements of an integer or bool tensor.
inline std::vector<int64_t> integers_of(const TensorView& x) {
  std::vector<int64_t> all(static_cast<size_t>(x.count()));
  for (size_t i = 0; i < all.size(); ++i) all[i] = integer_element(x.dtype, x.bytes, static_cast<int64_t>(i));
  return all;
}

/// A shape seen from one axis: extents before it multiplied, its own, those after it multiplied.
struct Around {
  int64_t outer = 1, extent = 1, inner = 1;
  Around(const Shape& shape, int64_t axis) {
    if (axis < 0) axis += static_cast<int64_t>(shape.size());
    for (int64_t i = 0; i < static_cast<int64_t>(shape.size()); ++i)
      (i < axis ? outer : i == axis ? extent : inner) *= shape[static_cast<size_t>(i)];
  }
};

/// An index that may count from the end, as one from the start; an error where it lies outside.
inline Result<int64_t> checked_index(const EvalCtx& c, int64_t index, int64_t extent) {
  if (index < -extent || index >= extent)
    return c.error("index " + std::to_string(index) + " is outside an axis of extent " +
                   std::to_string(extent));
  return index < 0 ? index + extent : index;
}

/// Output i with the extents that the data decided.
inline Result<TensorView> found_extents(EvalCtx& c, size_t i, const Shape& shape) {
  if (!c.out(i).bytes) return c.allocate(i, shape);
  if (c.out(i).shape == shape) return c.out(i);
  return c.error("the data give output " + std::to_string(i) + " other extents than the model needs");
}

/// The walk over result 0: strides of every operand, which broadcast to it, then its own.
inline StridedLoop broadcast_loop(EvalCtx& c, size_t operands) {
  const Shape& result = c.out(0).shape;
  StridedLoop loop{result, {}};
  for (size_t i = 0; i < operands; ++i) {
    const Shape& shape = c.in(i).shape;
    const std::vector<int64_t> own = dense_strides(shape);
    std::vector<int64_t> strides(result.size() - own.size(), 0);
    for (size_t a = 0; a < own.size(); ++a) strides.push_back(shape[a] == 1 ? 0 : own[a]);
    loop.strides.push_back(std::move(strides));
  }
  loop.strides.push_back(dense_strides(result));
  loop.merge_axes();
  return loop;
}

/// A copy of the first input into the first output, element by element in order.
inline Result<> eval_copy(EvalCtx& c) {
  const size_t size = c.out(0).byte_size();
  c.pool.parallel_for(static_cast<int64_t>(size), 1 << 18, [&](int64_t begin, int64_t end) {
    std::copy(c.in(0).bytes + begin, c.in(0).bytes + end, c.out(0).bytes + begin);
  });
  return {};
}

/// The elements of integer operand i of a node in Dims, as its `infer` saw them; nullopt if it did not.
inline std::optional<std::vector<Dim>> operand_dims(const ViewCtx& c, size_t i) {
  if (const auto* known = c.content(i)) return *known;
  const ValueId v = c.node.inputs[i];
  std::vector<std::optional<Dim>> found;
  for (const auto& [symbol, from] : c.graph.origins) {
    if (from.kind != SymbolOrigin::Kind::content || from.value != v) continue;
    if (found.size() <= from.index) found.resize(from.index + 1);
    found[from.index] = c.dims.resolve(symbol);
  }
  const auto& shape = c.graph.values[v].type.shape;
  if (!c.dims.is_constant(c.dims.product(shape), static_cast<int64_t>(found.size()))) return std::nullopt;
  std::vector<Dim> all;
  for (const auto& d : found) {
    if (!d) return std::nullopt;
    all.push_back(*d);
  }
  return all;
}

}  // namespace burnish
