#include "ir/iterated_body.h"

#include <algorithm>

#include "ir/origin.h"
#include "shape/substitute.h"

namespace burnish {

namespace {

constexpr Range any_extent{0, DimTable::unbounded};

}  // namespace

std::vector<StandIn> hand_in_isolated(Graph& body, ValueId v, const Value& from) {
  using Kind = SymbolOrigin::Kind;
  std::vector<StandIn> all;
  const auto own = [&](Kind kind, std::vector<Dim> dims) {
    for (uint32_t i = 0; i < dims.size(); ++i) {
      if (body.dims->value(dims[i])) continue;
      const Dim symbol = symbol_of(body, {kind, v, i}, body.dims->range(dims[i]));
      all.push_back({symbol, dims[i]});
      dims[i] = body.dims->resolve(symbol);
    }
    return dims;
  };
  Value& to = body.values[v];
  to.type = {from.type.dtype, own(Kind::input, from.type.shape)};
  to.content.reset();
  if (from.content) to.content = own(Kind::content, *from.content);
  return all;
}

void IteratedBody::hand_in(Graph& body, size_t k, const Value& from) {
  const ValueId v = body.inputs[k];
  if (!is_carried(k)) {
    fixed_[k] = hand_in_isolated(body, v, from);
    return;
  }
  Value& to = body.values[v];
  to.type = from.type;
  to.content.reset();
  initial_[k] = from.type.shape;
  for (uint32_t axis = 0; axis < from.type.shape.size(); ++axis) {
    const SymbolOrigin origin{SymbolOrigin::Kind::input, v, axis};
    bool free = !body.dims->value(from.type.shape[axis]) || changing_.contains({k, axis});
    for (const auto& [symbol, known] : body.origins) free = free || known == origin;  // found out before
    if (!free) continue;
    const Dim symbol = symbol_of(body, origin, any_extent);
    of_carried_[{k, axis}] = {symbol, from.type.shape[axis]};
    to.type.shape[axis] = body.dims->resolve(symbol);
  }
}

bool IteratedBody::widen(Graph& body) {
  bool types_change = false;
  for (bool again = true; again;) {
    again = false;
    for (const auto& [k, before] : initial_) {
      const ValueId given = body.outputs[carried_.first_output + k - carried_.first_input];
      const std::vector<Dim>& after = body.values[given].type.shape;
      for (uint32_t axis = 0; axis < std::min(before.size(), after.size()); ++axis) {
        if (changing_.contains({k, axis}) || outside(body, after[axis]) == before[axis]) continue;
        changing_.insert({k, axis});
        again = true;
        types_change = types_change || !of_carried_.contains({k, axis});
      }
    }
  }
  return types_change;
}

std::optional<Dim> IteratedBody::outside(Graph& body, Dim d) const {
  std::map<Dim, Dim> by;
  for (const bool itself : {true, false}) {  // what it stands for, rather than what that must be equal to
    const auto stands_for = [&](const StandIn& one) {
      const Dim symbol = body.dims->resolve(one.symbol);
      if (body.dims->op(symbol) == DimOp::symbol && (symbol == one.symbol) == itself)
        by.emplace(symbol, one.outside);
    };
    for (const auto& [k, all] : fixed_)
      for (const StandIn& one : all) stands_for(one);
    for (const auto& [axis, one] : of_carried_)
      if (!changing_.contains(axis)) stands_for(one);
  }
  d = body.dims->resolve(d);
  for (Dim symbol : body.dims->symbols(d))
    if (!by.contains(symbol)) return std::nullopt;
  return substitute(*body.dims, d, by);
}

}  // namespace burnish
