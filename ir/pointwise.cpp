#include "ir/pointwise.h"

#include <algorithm>

#include "base/strided.h"
#include "ir/element.h"

namespace burnish::pointwise_detail {

Result<> infer_types(InferCtx& c, size_t arity, unsigned domain, bool boolean_result) {
  TRY(c.expect_inputs(arity, arity));
  const DType dtype = c.in(0).dtype;
  std::vector<Dim> shape = c.shape(0);
  for (size_t i = 1; i < arity; ++i) {
    if (c.in(i).dtype != dtype)
      return c.error("operands are of different types, " + std::string(name_of(dtype)) + " and " +
                     std::string(name_of(c.in(i).dtype)));
    shape = TRY(c.broadcast(shape, c.shape(i)));
  }
  const unsigned needed = dtype == DType::boolean ? booleans : is_float(dtype) ? reals : integers;
  if (!(domain & needed)) return c.error("is not defined on " + std::string(name_of(dtype)));
  c.out(0, boolean_result ? DType::boolean : dtype, std::move(shape));
  return {};
}

std::optional<std::vector<std::vector<Dim>>> known_elements(const InferCtx& c, size_t arity) {
  size_t count = 1, rank = 0;
  for (size_t i = 0; i < arity; ++i) {
    const std::vector<Dim>* x = c.content(i);
    rank = std::max(rank, c.shape(i).size());
    if (!x || rank > 1 || (x->size() != 1 && count != 1 && x->size() != count)) return std::nullopt;
    if (x->size() != 1) count = x->size();
  }
  std::vector<std::vector<Dim>> elements(count);
  for (size_t k = 0; k < count; ++k)
    for (size_t i = 0; i < arity; ++i) {
      const std::vector<Dim>& x = *c.content(i);
      elements[k].push_back(x[x.size() == 1 ? 0 : k]);
    }
  return elements;
}

namespace {

constexpr int64_t block = 512;

/// Elements base[k * step], k < count, of storage type `dtype`, converted to S. Direct where no conversion is needed.
template <class S>
const S* load_block(const TensorView& x, int64_t base, int64_t step, int64_t count, S* scratch) {
  return visit_storage(x.dtype, [&]<class T>(T*) -> const S* {
    const T* from = x.data<T>() + base;
    if constexpr (std::is_same_v<T, S>) {
      if (step == 1) return from;
    }
    for (int64_t k = 0; k < count; ++k) {
      const T& element = from[k * step];
      if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16>)
        scratch[k] = static_cast<S>(to_float(element));
      else scratch[k] = static_cast<S>(element);
    }
    return scratch;
  });
}

/// Converts count elements of S to the storage type of y (integers wrap) and writes them from index `base` on.
template <class S>
void store_block(const TensorView& y, int64_t base, int64_t count, const S* from) {
  visit_storage(y.dtype, [&]<class T>(T*) {
    T* to = y.data<T>() + base;
    for (int64_t k = 0; k < count; ++k) {
      if constexpr (std::is_same_v<T, half>) to[k] = to_half(static_cast<float>(from[k]));
      else if constexpr (std::is_same_v<T, bfloat16>) to[k] = to_bfloat16(static_cast<float>(from[k]));
      else to[k] = static_cast<T>(from[k]);
    }
  });
}

StridedLoop broadcast_loop(const EvalCtx& c, size_t arity, const Shape& result) {
  StridedLoop loop{result, {}};
  for (size_t i = 0; i < arity; ++i) {
    std::vector<int64_t> own = dense_strides(c.in(i).shape), strides(result.size(), 0);
    const size_t lead = result.size() - own.size();
    for (size_t a = 0; a < own.size(); ++a) strides[lead + a] = c.in(i).shape[a] == 1 ? 0 : own[a];
    loop.strides.push_back(std::move(strides));
  }
  loop.strides.push_back(dense_strides(result));
  loop.merge_axes();
  return loop;
}

template <class S, size_t arity>
void run(EvalCtx& c, bool boolean_result, Elements<S> f) {
  const TensorView& y = c.out(0);
  const StridedLoop loop = broadcast_loop(c, arity, y.shape);
  loop.run<arity + 1>(c.pool, [&](const int64_t (&offset)[arity + 1], int64_t begin, int64_t end) {
    S scratch[arity][block], results[block];
    bool truths[block];
    for (int64_t from = begin; from < end; from += block) {
      const int64_t count = std::min(block, end - from);
      const S* x[arity];
      for (size_t i = 0; i < arity; ++i) {
        const int64_t step = loop.strides[i].back();
        x[i] = load_block<S>(c.in(i), offset[i] + from * step, step, count, scratch[i]);
      }
      f(c.node.attrs, x, boolean_result ? static_cast<void*>(truths) : results, count);
      if (boolean_result) store_block<bool>(y, offset[arity] + from, count, truths);
      else store_block<S>(y, offset[arity] + from, count, results);
    }
  });
}

template <class S>
void run(EvalCtx& c, size_t arity, bool boolean_result, Elements<S> f) {
  switch (arity) {
    case 1: return run<S, 1>(c, boolean_result, f);
    case 2: return run<S, 2>(c, boolean_result, f);
    case 3: return run<S, 3>(c, boolean_result, f);
  }
}

}  // namespace

Result<> evaluate(EvalCtx& c, size_t arity, bool boolean_result, const Evaluation& f) {
  const DType t = c.in(0).dtype;
  if (t == DType::boolean) run(c, arity, boolean_result, f.as_boolean);
  else if (t == DType::f64) run(c, arity, boolean_result, f.as_double);
  else if (is_float(t)) run(c, arity, boolean_result, f.as_float);
  else run(c, arity, boolean_result, f.as_integer);
  return {};
}

}  // namespace burnish::pointwise_detail
