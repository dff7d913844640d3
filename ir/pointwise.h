#pragma once

#include <array>
#include <optional>

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

/// Types of the operands, `domain` being what the op is defined on, and of the result: theirs, broadcast, or bool.
Result<> infer_types(InferCtx& c, size_t arity, unsigned domain, bool boolean_result);
/// For each element of a result of at most one axis, the operands' elements where all are known as Dims; else nothing.
std::optional<std::vector<std::vector<Dim>>> known_elements(const InferCtx& c, size_t arity);

template <class F, unsigned domain, size_t arity>
Result<> infer(InferCtx& c) {
  if (auto r = infer_types(c, arity, domain, gives_boolean<F, domain, arity>()); !r) return r;
  if constexpr (requires { F::content; }) {
    const auto elements = known_elements(c, arity);
    if (!elements) return {};
    std::vector<Dim> content;
    for (const std::vector<Dim>& x : *elements) {
      const std::optional<Dim> element = [&]<size_t... I>(std::index_sequence<I...>) -> std::optional<Dim> {
        if constexpr (HasAttrs<F>) return F::content(c.attrs<typename F::Attrs>(), c.dims, x[I]...);
        else return F::content(c.dims, x[I]...);
      }(std::make_index_sequence<arity>());
      if (!element) return {};
      content.push_back(*element);
    }
    c.out_content(0, std::move(content));
  }
  return {};
}

/// `count` elements of the operands -> results, of bool or S.
template <class S>
using Elements = void (*)(const Attrs& attrs, const S* const* operands, void* results, int64_t count);

template <class F, class S, size_t arity>
void elements(const Attrs& attrs, const S* const* x, void* results, int64_t count) {
  constexpr auto all = std::make_index_sequence<arity>();
  using R = decltype(call_n<F, S>(attrs, std::array<S, arity>{}, all));
  auto* y = static_cast<R*>(results);
  for (int64_t k = 0; k < count; ++k) {
    std::array<S, arity> v;
    for (size_t i = 0; i < arity; ++i) v[i] = x[i][k];
    y[k] = call_n<F, S>(attrs, v, all);
  }
}

/// One function for each type that elements are computed in; null where the op is not defined.
struct Evaluation {
  Elements<float> as_float = nullptr;
  Elements<double> as_double = nullptr;
  Elements<int64_t> as_integer = nullptr;
  Elements<bool> as_boolean = nullptr;
};
Result<> evaluate(EvalCtx& c, size_t arity, bool boolean_result, const Evaluation& f);

template <class F, unsigned domain, size_t arity>
Result<> eval(EvalCtx& c) {
  Evaluation f;
  if constexpr (domain & reals)
    f.as_float = elements<F, float, arity>, f.as_double = elements<F, double, arity>;
  if constexpr (domain & integers) f.as_integer = elements<F, int64_t, arity>;
  if constexpr (domain & booleans) f.as_boolean = elements<F, bool, arity>;
  return evaluate(c, arity, gives_boolean<F, domain, arity>(), f);
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
