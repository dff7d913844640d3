#include "shape/dim.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace burnish {

namespace {

using Term = DimTable::Term;

// Graded lexicographic: a monomial order, so that leading terms multiply to leading terms.
bool monomial_less(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

int64_t saturate(__int128 v) {
  constexpr __int128 limit = __int128{1} << 62;
  return static_cast<int64_t>(std::clamp(v, -limit, limit));
}

Range times(Range a, Range b) {
  const __int128 p[] = {__int128{a.lo} * b.lo, __int128{a.lo} * b.hi, __int128{a.hi} * b.lo,
                        __int128{a.hi} * b.hi};
  return {saturate(*std::min_element(p, p + 4)), saturate(*std::max_element(p, p + 4))};
}

std::vector<uint32_t> joined(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  std::vector<uint32_t> all(a.size() + b.size());
  std::merge(a.begin(), a.end(), b.begin(), b.end(), all.begin());
  return all;
}

}  // namespace

DimTable::DimTable() { constant(0); }

int64_t DimTable::apply(DimOp op, int64_t a, int64_t b, int64_t c) {
  switch (op) {
    case DimOp::floor_div: {
      if (b == 0) return 0;
      const int64_t q = a / b;
      return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
    }
    case DimOp::min: return std::min(a, b);
    case DimOp::max: return std::max(a, b);
    case DimOp::equal: return a == b;
    case DimOp::less: return a < b;
    case DimOp::select: return a != 0 ? b : c;
    default: return 0;
  }
}

Range DimTable::range_of(const Entry& e) const {
  auto of = [&](size_t i) { return nodes_[e.operands[i].id].range; };
  switch (e.op) {
    case DimOp::constant: return {e.value, e.value};
    case DimOp::symbol: return e.range;
    case DimOp::sum: {
      __int128 lo = 0, hi = 0;
      for (const Term& term : e.terms) {
        Range r{term.coefficient, term.coefficient};
        for (uint32_t atom : term.atoms) r = times(r, nodes_[atom].range);
        lo += r.lo;
        hi += r.hi;
      }
      return {saturate(lo), saturate(hi)};
    }
    case DimOp::floor_div: {
      const Range a = of(0), b = of(1);
      if (b.lo <= 0)
        return {std::min<int64_t>(a.lo, -std::abs(a.hi)), std::max(std::abs(a.lo), std::abs(a.hi))};
      auto q = [](int64_t x, int64_t y) { return apply(DimOp::floor_div, x, y, 0); };
      return {std::min(q(a.lo, b.lo), q(a.lo, b.hi)), std::max(q(a.hi, b.lo), q(a.hi, b.hi))};
    }
    case DimOp::min: return {std::min(of(0).lo, of(1).lo), std::min(of(0).hi, of(1).hi)};
    case DimOp::max: return {std::max(of(0).lo, of(1).lo), std::max(of(0).hi, of(1).hi)};
    case DimOp::equal:
    case DimOp::less: return {0, 1};
    case DimOp::select: return {std::min(of(1).lo, of(2).lo), std::max(of(1).hi, of(2).hi)};
  }
  return {};
}

Dim DimTable::intern(Entry e) {
  std::vector<int64_t> key{static_cast<int64_t>(e.op)};
  if (e.op == DimOp::constant) key.push_back(e.value);
  if (e.op == DimOp::symbol) key.push_back(static_cast<int64_t>(nodes_.size()));
  for (Dim d : e.operands) key.push_back(d.id);
  for (const Term& term : e.terms) {
    key.push_back(term.coefficient);
    key.push_back(static_cast<int64_t>(term.atoms.size()));
    key.insert(key.end(), term.atoms.begin(), term.atoms.end());
  }
  auto [it, fresh] = index_.try_emplace(std::move(key), static_cast<uint32_t>(nodes_.size()));
  if (fresh) {
    e.range = range_of(e);
    nodes_.push_back(std::move(e));
  }
  return {it->second};
}

Dim DimTable::constant(int64_t value) { return intern({.op = DimOp::constant, .value = value}); }

Dim DimTable::symbol(std::string_view name, Range range) {
  if (auto it = names_.find(name); it != names_.end()) return {it->second};
  const Dim d = intern({.op = DimOp::symbol, .name = std::string(name), .range = range});
  names_.emplace(name, d.id);
  return d;
}

Dim DimTable::fresh_symbol(std::string_view hint, Range range) {
  std::string name(hint);
  for (int i = 2; names_.contains(name); ++i) name = std::string(hint) + "." + std::to_string(i);
  return symbol(name, range);
}

std::vector<Term> DimTable::terms(Dim d) const {
  const Entry& e = nodes_[d.id];
  if (e.op == DimOp::sum) return e.terms;
  if (e.op != DimOp::constant) return {{1, {d.id}}};
  if (e.value == 0) return {};
  return {{e.value, {}}};
}

Dim DimTable::from_terms(std::vector<Term> terms) {
  std::sort(terms.begin(), terms.end(),
            [](const Term& a, const Term& b) { return monomial_less(b.atoms, a.atoms); });
  std::vector<Term> merged;
  for (Term& term : terms) {
    if (!merged.empty() && merged.back().atoms == term.atoms) merged.back().coefficient += term.coefficient;
    else merged.push_back(std::move(term));
  }
  std::erase_if(merged, [](const Term& t) { return t.coefficient == 0; });
  if (merged.empty()) return constant(0);
  if (merged.size() == 1) {
    const Term& only = merged[0];
    if (only.atoms.empty()) return constant(only.coefficient);
    if (only.coefficient == 1 && only.atoms.size() == 1) return {only.atoms[0]};
  }
  return intern({.op = DimOp::sum, .terms = std::move(merged)});
}

Dim DimTable::add(Dim a, Dim b) {
  std::vector<Term> all = terms(a), more = terms(b);
  all.insert(all.end(), more.begin(), more.end());
  return from_terms(std::move(all));
}

Dim DimTable::sub(Dim a, Dim b) { return add(a, mul(b, constant(-1))); }

Dim DimTable::mul(Dim a, Dim b) {
  std::vector<Term> out;
  for (const Term& x : terms(a))
    for (const Term& y : terms(b)) out.push_back({x.coefficient * y.coefficient, joined(x.atoms, y.atoms)});
  return from_terms(std::move(out));
}

// Polynomial long division; gives up as soon as a leading term does not divide.
std::optional<Dim> DimTable::divide_exactly(Dim a, Dim b) {
  const std::vector<Term> divisor = terms(b);
  if (divisor.empty()) return std::nullopt;
  std::vector<Term> quotient;
  Dim rest = a;
  for (int guard = 0; guard < 64; ++guard) {
    const std::vector<Term> left = terms(rest);
    if (left.empty()) return from_terms(std::move(quotient));
    const Term &lead = left[0], &by = divisor[0];
    if (lead.coefficient % by.coefficient != 0 || lead.atoms.size() < by.atoms.size() ||
        !std::includes(lead.atoms.begin(), lead.atoms.end(), by.atoms.begin(), by.atoms.end()))
      return std::nullopt;
    Term q{lead.coefficient / by.coefficient, {}};
    std::set_difference(lead.atoms.begin(), lead.atoms.end(), by.atoms.begin(), by.atoms.end(),
                        std::back_inserter(q.atoms));
    quotient.push_back(q);
    rest = sub(rest, mul(from_terms({q}), b));
  }
  return std::nullopt;
}

Dim DimTable::atom(DimOp op, std::vector<Dim> operands) {
  bool known = true;
  int64_t v[3] = {0, 0, 0};
  for (size_t i = 0; i < operands.size(); ++i) {
    const auto c = value(operands[i]);
    known = known && c;
    v[i] = c.value_or(0);
  }
  if (known) return constant(apply(op, v[0], v[1], v[2]));
  return intern({.op = op, .operands = std::move(operands)});
}

Dim DimTable::floor_div(Dim a, Dim b) {
  if (is_constant(b, 1)) return a;
  const Range divisor = range(b), dividend = range(a);
  if (divisor.lo > 0) {
    if (auto exact = divide_exactly(a, b)) return *exact;
    if (dividend.lo >= 0 && dividend.hi < divisor.lo) return constant(0);
    if (auto c = value(b)) {  // whole multiples of the divisor come out of the quotient
      std::vector<Term> whole, rest;
      for (Term& term : terms(a)) {
        const int64_t r = ((term.coefficient % *c) + *c) % *c;
        if (term.coefficient != r) whole.push_back({(term.coefficient - r) / *c, term.atoms});
        if (r != 0) rest.push_back({r, term.atoms});
      }
      if (!whole.empty()) return add(from_terms(std::move(whole)), floor_div(from_terms(std::move(rest)), b));
    }
  }
  return atom(DimOp::floor_div, {a, b});
}

Dim DimTable::ceil_div(Dim a, Dim b) { return floor_div(sub(add(a, b), constant(1)), b); }

Dim DimTable::mod(Dim a, Dim b) { return sub(a, mul(b, floor_div(a, b))); }

Dim DimTable::min(Dim a, Dim b) {
  if (range(sub(b, a)).lo >= 0) return a;
  if (range(sub(a, b)).lo >= 0) return b;
  return atom(DimOp::min, {std::min(a, b), std::max(a, b)});
}

Dim DimTable::max(Dim a, Dim b) {
  if (range(sub(a, b)).lo >= 0) return a;
  if (range(sub(b, a)).lo >= 0) return b;
  return atom(DimOp::max, {std::min(a, b), std::max(a, b)});
}

Dim DimTable::equal(Dim a, Dim b) {
  const Range difference = range(sub(a, b));
  if (difference == Range{0, 0}) return constant(1);
  if (difference.lo > 0 || difference.hi < 0) return constant(0);
  return atom(DimOp::equal, {std::min(a, b), std::max(a, b)});
}

Dim DimTable::less(Dim a, Dim b) {
  const Range difference = range(sub(a, b));
  if (difference.hi < 0) return constant(1);
  if (difference.lo >= 0) return constant(0);
  return atom(DimOp::less, {a, b});
}

Dim DimTable::select(Dim condition, Dim yes, Dim no) {
  if (yes == no) return yes;
  const Range r = range(condition);
  if (r.lo > 0 || r.hi < 0) return yes;
  if (r == Range{0, 0}) return no;
  return atom(DimOp::select, {condition, yes, no});
}

// b where a can differ from it only by being 1, or where nothing but b fits.
bool DimTable::broadcast_is(Dim a, Dim b) const {
  if (is_constant(a, 1) || (value(b) && *value(b) != 1) || range(b).lo >= 2) return true;
  if (op(a) == DimOp::min) {  // min(512, b): 1 when b is
    const std::span<const Dim> x = operands(a);
    if ((x[0] == b && range(x[1]).lo >= 2) || (x[1] == b && range(x[0]).lo >= 2)) return true;
  }
  if (op(b) == DimOp::select) {  // b is already the extent of a and another
    const std::span<const Dim> x = operands(b);
    if (op(x[0]) != DimOp::equal || (a != x[1] && a != x[2])) return false;
    const std::span<const Dim> compared = operands(x[0]);
    return (is_constant(compared[0], 1) && compared[1] == x[2]) ||
           (is_constant(compared[1], 1) && compared[0] == x[2]);
  }
  return false;
}

Dim DimTable::broadcast(Dim a, Dim b) {
  if (a == b || broadcast_is(b, a)) return a;
  if (broadcast_is(a, b)) return b;
  if (b < a) std::swap(a, b);
  return select(equal(a, constant(1)), b, a);
}

Dim DimTable::product(std::span<const Dim> dims) {
  Dim all = constant(1);
  for (Dim d : dims) all = mul(all, d);
  return all;
}

Dim DimTable::align_up(Dim a, int64_t step) { return mul(ceil_div(a, constant(step)), constant(step)); }

std::optional<int64_t> DimTable::value(Dim d) const {
  const Entry& e = nodes_[d.id];
  return e.op == DimOp::constant ? std::optional(e.value) : std::nullopt;
}

std::vector<Dim> DimTable::symbols(Dim d) const {
  const Entry& e = nodes_[d.id];
  if (e.op == DimOp::symbol) return {d};
  std::vector<Dim> all;
  auto take = [&](Dim part) {
    for (Dim s : symbols(part)) all.push_back(s);
  };
  for (Dim operand : e.operands) take(operand);
  for (const Term& term : e.terms)
    for (uint32_t part : term.atoms) take(Dim{part});
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

bool DimTable::depends_on(Dim d, Dim symbol) const {
  const std::vector<Dim> all = symbols(d);
  return std::binary_search(all.begin(), all.end(), symbol);
}

Result<> DimTable::unify(Dim a, Dim b, std::string reason) {
  a = resolve(a);
  b = resolve(b);
  if (a == b) return {};
  const Range difference = range(sub(a, b));
  if (difference.lo > 0 || difference.hi < 0)
    return Error(Code::invalid_model, reason + ": " + text(a) + " and " + text(b) + " are never equal");
  for (const Constraint& known : constraints_)
    if (known.a == a && known.b == b) return {};
  constraints_.push_back({a, b, std::move(reason)});
  // The younger symbol gives way: input symbols are made first and keep their names.
  if (op(a) == DimOp::symbol && (op(b) != DimOp::symbol || a.id > b.id) && !depends_on(b, a))
    replaced_[a] = b;
  else if (op(b) == DimOp::symbol && !depends_on(a, b)) replaced_[b] = a;
  resolved_.clear();
  return {};
}

Dim DimTable::resolve(Dim d) {
  if (replaced_.empty() || op(d) == DimOp::constant) return d;
  if (auto it = resolved_.find(d); it != resolved_.end()) return it->second;
  Dim out = d;
  if (op(d) == DimOp::symbol) {
    if (auto it = replaced_.find(d); it != replaced_.end()) out = resolve(it->second);
  } else if (op(d) == DimOp::sum) {
    out = constant(0);
    for (const Term& term : terms(d)) {
      Dim product = constant(term.coefficient);
      for (uint32_t part : term.atoms) product = mul(product, resolve(Dim{part}));
      out = add(out, product);
    }
  } else {
    std::vector<Dim> parts(operands(d).begin(), operands(d).end());
    for (Dim& part : parts) part = resolve(part);
    switch (op(d)) {
      case DimOp::floor_div: out = floor_div(parts[0], parts[1]); break;
      case DimOp::min: out = min(parts[0], parts[1]); break;
      case DimOp::max: out = max(parts[0], parts[1]); break;
      case DimOp::equal: out = equal(parts[0], parts[1]); break;
      case DimOp::less: out = less(parts[0], parts[1]); break;
      default: out = select(parts[0], parts[1], parts[2]); break;
    }
  }
  resolved_[d] = out;
  return out;
}

}  // namespace burnish
