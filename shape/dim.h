#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace burnish {

/// Inclusive bounds of an extent.
struct Range {
  int64_t lo = 0;
  int64_t hi = 0;
  bool operator==(const Range&) const = default;
};

/// One symbolic integer: an id in a DimTable. Equal ids mean equal for every value of the symbols.
struct Dim {
  uint32_t id = 0;
  auto operator<=>(const Dim&) const = default;
};

/// What a Dim is made of. `floor_div` … `select` are atoms: the polynomial form does not look inside them.
enum class DimOp : uint8_t {
  constant,   // value
  symbol,     // name
  sum,        // polynomial over atoms
  floor_div,  // floor(a / b); 0 when b is 0
  min,
  max,
  equal,   // a == b ? 1 : 0
  less,    // a < b ? 1 : 0
  select,  // a != 0 ? b : c
};

/// Two Dims that must be the same number, and why: checked at run time when both are known.
struct Constraint {
  Dim a, b;
  std::string reason;
};

/// Hash-consed symbolic integers in a canonical form: a polynomial with integer coefficients over atoms
/// (symbols, quotients, minima, …). So `(8 + s) - 8` is `s`, and `b*s*768 / (s*768)` is `b`.
class DimTable {
 public:
  /// One product of a polynomial: coefficient times atoms (ids, ascending, with repetition).
  struct Term {
    int64_t coefficient;
    std::vector<uint32_t> atoms;
  };
  static constexpr int64_t unbounded = int64_t{1} << 40;

  DimTable();

  Dim constant(int64_t value);
  /// The symbol of that name; made with `range` on first use.
  Dim symbol(std::string_view name, Range range = {1, unbounded});
  /// A new symbol distinct from all others, named `hint` or `hint.2`, ….
  Dim fresh_symbol(std::string_view hint, Range range);

  Dim add(Dim a, Dim b);
  Dim sub(Dim a, Dim b);
  Dim mul(Dim a, Dim b);
  Dim floor_div(Dim a, Dim b);
  Dim ceil_div(Dim a, Dim b);
  /// a - b * floor(a / b).
  Dim mod(Dim a, Dim b);
  Dim min(Dim a, Dim b);
  Dim max(Dim a, Dim b);
  Dim equal(Dim a, Dim b);
  Dim less(Dim a, Dim b);
  Dim select(Dim condition, Dim yes, Dim no);
  /// The extent that numpy broadcasting gives for a and b (which must agree or be 1).
  Dim broadcast(Dim a, Dim b);
  Dim product(std::span<const Dim> dims);
  /// a rounded up to a multiple of `step`.
  Dim align_up(Dim a, int64_t step);

  DimOp op(Dim d) const { return nodes_[d.id].op; }
  std::optional<int64_t> value(Dim d) const;
  bool is_constant(Dim d, int64_t value) const { return this->value(d) == value; }
  Range range(Dim d) const { return nodes_[d.id].range; }
  const std::string& name(Dim symbol) const { return nodes_[symbol.id].name; }
  std::span<const Dim> operands(Dim atom) const { return nodes_[atom.id].operands; }
  /// Polynomial form; a constant or an atom has one term.
  std::vector<Term> terms(Dim d) const;
  /// Symbols that d depends on, ascending.
  std::vector<Dim> symbols(Dim d) const;
  size_t size() const { return nodes_.size(); }

  /// Makes a and b the same: a symbol is replaced by the other side from now on (see `resolve`), and the reason is kept.
  /// Where neither side is a symbol the equality becomes a run-time check. Error if they can never be equal.
  Result<> unify(Dim a, Dim b, std::string reason);
  /// d after all replacements.
  Dim resolve(Dim d);
  std::span<const Constraint> constraints() const { return constraints_; }

  /// "4*batch*seq + 1", "floor(height + 1, 2)": the spelling of the text form.
  std::string text(Dim d) const;
  std::string text(std::span<const Dim> shape) const;
  /// Inverse of `text`.
  Result<Dim> parse(std::string_view text);

  /// Value of d where `symbol_value` gives that of each symbol.
  template <class F>
  int64_t evaluate(Dim d, const F& symbol_value) const;
  static int64_t apply(DimOp op, int64_t a, int64_t b, int64_t c);

 private:
  struct Entry {
    DimOp op;
    int64_t value = 0;
    std::string name;
    std::vector<Dim> operands;
    std::vector<Term> terms;
    Range range;
  };
  Dim intern(Entry entry);
  Dim from_terms(std::vector<Term> terms);
  Dim atom(DimOp op, std::vector<Dim> operands);
  Range range_of(const Entry& entry) const;
  std::optional<Dim> divide_exactly(Dim a, Dim b);
  bool depends_on(Dim d, Dim symbol) const;
  bool broadcast_is(Dim a, Dim b) const;
  std::string sum_text(const std::vector<Term>& terms) const;

  std::vector<Entry> nodes_;
  std::map<std::vector<int64_t>, uint32_t> index_;
  std::map<std::string, uint32_t, std::less<>> names_;
  std::map<Dim, Dim> replaced_;
  std::map<Dim, Dim> resolved_;  // memo of resolve, dropped by unify
  std::vector<Constraint> constraints_;
};

template <class F>
int64_t DimTable::evaluate(Dim d, const F& symbol_value) const {
  const Entry& e = nodes_[d.id];
  switch (e.op) {
    case DimOp::constant: return e.value;
    case DimOp::symbol: return symbol_value(d);
    case DimOp::sum: {
      int64_t total = 0;
      for (const Term& term : e.terms) {
        int64_t product = term.coefficient;
        for (uint32_t atom : term.atoms) product *= evaluate(Dim{atom}, symbol_value);
        total += product;
      }
      return total;
    }
    default: {
      int64_t v[3] = {0, 0, 0};
      for (size_t i = 0; i < e.operands.size(); ++i) v[i] = evaluate(e.operands[i], symbol_value);
      return apply(e.op, v[0], v[1], v[2]);
    }
  }
}

}  // namespace burnish
