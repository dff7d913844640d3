#pragma once

#include <array>
#include <tuple>

#include "base/strided.h"
#include "ir/op.h"
#include "ir/scalar.h"

namespace burnish {

/// Element types that a pointwise op is defined on.
enum PointwiseDomain : unsigned { reals = 1, integers = 2, booleans = 4 };

namespace pointwise_detail {

template <class F>
concept HasAttrs = requires { typename F::Attrs; };

/// Calls F::scalar with or without attributes.
template <class F, class... S>
auto call(const Attrs& attrs, const S&... x) {
  if constexpr (HasAttrs<F>) return F::scalar(attrs.as<typename F::Attrs>(), x...);
  else return F::scalar(x...);
}

template <class F, class S, size_t... I>
auto call_n(const Attrs& attrs, const std::array<S, sizeof...(I)>& x, std::index_sequence<I...>) {
  return call<F>(attrs, x[I]...);
}

template <unsigned domain>
using Representative = std::conditional_t<(domain & reals) != 0, float,
                                          std::conditional_t<(domain & integers) != 0, int64_t, bool>>;

template <class F, unsigned domain, size_t arity>
bool gives_boolean() {
  using S = Representative<domain>;
  using R = decltype(call_n<F, S>(std::declval<const Attrs&>(), std::array<S, arity>{},
                                  std::make_index_sequence<arity>()));
  return std::is_same_v<R, bool>;
}

template <class F, unsigned domain>
bool accepts(DType t) {
  return (domain & (t == DType::boolean ? booleans : is_float(t) ? reals : integers)) != 0;
}

template <class F, unsigned domain, size_t arity>
Result<> infer(InferCtx& c) {
  if (auto r = c.expect_inputs(arity, arity); !r) return r;
  const DType dtype = c.in(0).dtype;
  std::vector<Dim> shape = c.shape(0);
  for (size_t i = 1; i < arity; ++i) {
    if (c.in(i).dtype != dtype)
      return c.error("operands are of different types, " + std::string(name_of(dtype)) + " and " +
                     std::string(name_of(c.in(i).dtype)));
    shape = TRY(c.broadcast(shape, c.shape(i)));
  }
  if (!accepts<F, domain>(dtype)) return c.error("is not defined on " + std::string(name_of(dtype)));
  const size_t rank = shape.size();
  c.out(0, gives_boolean<F, domain, arity>() ? DType::boolean : dtype, std::move(shape));
  if constexpr (requires { F::content; }) {
    std::array<const std::vector<Dim>*, arity> x;
    size_t count = 1;
    for (size_t i = 0; i < arity; ++i) {
      x[i] = c.content(i);
      if (!x[i] || (x[i]->size() != 1 && c.rank(i) != 1)) return {};
      if (x[i]->size() != 1 && count != 1 && x[i]->size() != count) return {};
      if (x[i]->size() != 1) count = x[i]->size();
    }
    if (rank > 1) return {};
    std::vector<Dim> content;
    for (size_t k = 0; k < count; ++k) {
      std::array<Dim, arity> v;
      for (size_t i = 0; i < arity; ++i) v[i] = (*x[i])[x[i]->size() == 1 ? 0 : k];
      const std::optional<Dim> element = std::apply(
          [&](auto... d) {
            if constexpr (HasAttrs<F>) return F::content(c.attrs<typename F::Attrs>(), c.dims, d...);
            else return F::content(c.dims, d...);
          },
          v);
      if (!element) return {};
      content.push_back(*element);
    }
    c.out_content(0, std::move(content));
  }
  return {};
}

constexpr int64_t block = 512;

/// Elements base[k * step], k < count, of storage type `dtype`, converted to S. Direct where no conversion is needed.
template <class S>
const S* load_block(const TensorView& x, int64_t base, int64_t step, int64_t count, S* scratch);
/// Converts count elements of S to the storage type of y (integers wrap) and writes them from index `base` on.
template <class S>
void store_block(const TensorView& y, int64_t base, int64_t count, const S* from);

template <class F, class S, size_t arity>
void run(EvalCtx& c) {
  TensorView& y = c.out(0);
  StridedLoop loop{y.shape, {}};
  for (size_t i = 0; i < arity; ++i) {
    std::vector<int64_t> own = dense_strides(c.in(i).shape), strides(y.shape.size(), 0);
    const size_t lead = y.shape.size() - own.size();
    for (size_t a = 0; a < own.size(); ++a) strides[lead + a] = c.in(i).shape[a] == 1 ? 0 : own[a];
    loop.strides.push_back(std::move(strides));
  }
  loop.strides.push_back(dense_strides(y.shape));
  loop.merge_axes();
  constexpr auto all = std::make_index_sequence<arity>();
  using R = decltype(call_n<F, S>(c.node.attrs, std::array<S, arity>{}, all));
  loop.run<arity + 1>(c.pool, [&](const int64_t (&offset)[arity + 1], int64_t begin, int64_t end) {
    S scratch[arity][block];
    R results[block];
    for (int64_t from = begin; from < end; from += block) {
      const int64_t count = std::min(block, end - from);
      std::array<const S*, arity> x;
      for (size_t i = 0; i < arity; ++i) {
        const int64_t step = loop.strides[i].back();
        x[i] = load_block<S>(c.in(i), offset[i] + from * step, step, count, scratch[i]);
      }
      for (int64_t k = 0; k < count; ++k) {
        std::array<S, arity> v;
        for (size_t i = 0; i < arity; ++i) v[i] = x[i][k];
        results[k] = call_n<F, S>(c.node.attrs, v, all);
      }
      store_block<R>(y, offset[arity] + from, count, results);
    }
  });
}

template <class F, unsigned domain, size_t arity>
Result<> eval(EvalCtx& c) {
  const DType t = c.in(0).dtype;
  if (t == DType::boolean) {
    if constexpr (domain & booleans) run<F, bool, arity>(c);
  } else if (t == DType::f64) {
    if constexpr (domain & reals) run<F, double, arity>(c);
  } else if (is_float(t)) {
    if constexpr (domain & reals) run<F, float, arity>(c);
  } else {
    if constexpr (domain & integers) run<F, int64_t, arity>(c);
  }
  return {};
}

template <class F, size_t arity>
std::string text(const Attrs& attrs, std::span<const std::string> operands) {
  std::array<Text, arity> x = [&]<size_t... I>(std::index_sequence<I...>) {
    return std::array<Text, arity>{Text(operands[I])...};
  }(std::make_index_sequence<arity>());
  return call_n<F, Text>(attrs, x, std::make_index_sequence<arity>()).s;
}

}  // namespace pointwise_detail

/// A whole OpDef from one scalar definition, read as host arithmetic (S = float, double, int64_t, bool) and as device text
/// (S = Text):
///   struct Relu { template <class S> static auto scalar(S x) { return prim::relu(x); } };
///   const OpDef op_relu = pointwise<Relu, 1>("Relu");
/// With attributes: `struct Attrs {…}` in F and `scalar(const Attrs&, S x)`. F may add `static Dim content(DimTable&, Dim…)`
/// (or optional<Dim>; with attributes they come first) to carry symbolic integers. Operands share one element type and
/// broadcast; the result is bool when `scalar` returns bool.
template <class F, size_t arity, unsigned domain = reals>
constexpr OpDef pointwise(std::string_view name) {
  OpDef op;
  op.name = name;
  if constexpr (pointwise_detail::HasAttrs<F>) op.attrs = &attr_schema<typename F::Attrs>;
  op.infer = pointwise_detail::infer<F, domain, arity>;
  op.eval = pointwise_detail::eval<F, domain, arity>;
  op.scalar = pointwise_detail::text<F, arity>;
  op.keeps_order = true;
  return op;
}

}  // namespace burnish
