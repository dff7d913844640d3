#include <algorithm>
#include <cctype>
#include <charconv>

#include "shape/dim.h"

namespace burnish {

namespace {

constexpr std::pair<DimOp, std::string_view> functions[] = {
    {DimOp::floor_div, "floor"}, {DimOp::min, "min"},   {DimOp::max, "max"},
    {DimOp::equal, "equal"},     {DimOp::less, "less"}, {DimOp::select, "select"},
};

bool is_plain(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  for (char c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.') return false;
  for (const auto& [op, function] : functions)
    if (name == function) return false;
  return true;
}

// A name that is no identifier (ONNX allows any string) is quoted; '\' and '\'' are escaped.
std::string quoted(std::string_view name) {
  if (is_plain(name)) return std::string(name);
  std::string out = "'";
  for (char c : name) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// expression := ['-'] product (('+'|'-') product)* ;  product := factor ('*' factor)* ;  factor := number | name | f(…)
class Parser {
 public:
  Parser(DimTable& dims, std::string_view text) : dims_(dims), text_(text) {}

  Result<Dim> whole() {
    Dim d = TRY(expression());
    if (skip(); at_ != text_.size()) return fail("nothing");
    return d;
  }

 private:
  void skip() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Error fail(std::string_view wanted) const {
    return Error(Code::invalid_argument, "extent '" + std::string(text_) + "': expected " +
                                             std::string(wanted) + " at character " + std::to_string(at_));
  }
  Result<Dim> expression() {
    Dim sum = take('-') ? dims_.sub(dims_.constant(0), TRY(product())) : TRY(product());
    for (;;) {
      if (take('+')) sum = dims_.add(sum, TRY(product()));
      else if (take('-')) sum = dims_.sub(sum, TRY(product()));
      else return sum;
    }
  }
  Result<Dim> product() {
    Dim all = TRY(factor());
    while (take('*')) all = dims_.mul(all, TRY(factor()));
    return all;
  }
  Result<Dim> factor() {
    skip();
    if (at_ >= text_.size()) return fail("an extent");
    if (++depth_ > 256) return fail("less nesting");
    const unsigned char c = static_cast<unsigned char>(text_[at_]);
    Result<Dim> out = std::isdigit(c) ? number() : c == '\'' ? quoted_name() : name();
    --depth_;
    return out;
  }
  Result<Dim> number() {
    int64_t v = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), v);
    if (error != std::errc()) return fail("a 64-bit number");
    at_ = static_cast<size_t>(end - text_.data());
    return dims_.constant(v);
  }
  Result<Dim> quoted_name() {
    std::string name;
    for (++at_; at_ < text_.size() && text_[at_] != '\''; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      name += text_[at_];
    }
    if (!take('\'')) return fail("a closing quote");
    return dims_.symbol(name);
  }
  Result<Dim> name() {
    const size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' || text_[at_] == '.'))
      ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word.empty()) return fail("an extent");
    for (const auto& [op, function] : functions)
      if (word == function) return call(op);
    return dims_.symbol(word);
  }
  Result<Dim> call(DimOp op) {
    Dim v[3];
    const int count = op == DimOp::select ? 3 : 2;
    if (!take('(')) return fail("'('");
    for (int i = 0; i < count; ++i) {
      if (i > 0 && !take(',')) return fail("','");
      v[i] = TRY(expression());
    }
    if (!take(')')) return fail("')'");
    switch (op) {
      case DimOp::floor_div: return dims_.floor_div(v[0], v[1]);
      case DimOp::min: return dims_.min(v[0], v[1]);
      case DimOp::max: return dims_.max(v[0], v[1]);
      case DimOp::equal: return dims_.equal(v[0], v[1]);
      case DimOp::less: return dims_.less(v[0], v[1]);
      default: return dims_.select(v[0], v[1], v[2]);
    }
  }

  DimTable& dims_;
  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

// Sorted by spelling, so that the text does not depend on the order in which a table met its symbols.
std::string DimTable::text(Dim d) const {
  const Entry& e = nodes_[d.id];
  if (e.op == DimOp::constant) return std::to_string(e.value);
  if (e.op == DimOp::symbol) return quoted(e.name);
  if (e.op == DimOp::sum) return sum_text(e.terms);
  std::vector<std::string> operands;
  for (Dim operand : e.operands) operands.push_back(text(operand));
  if (e.op == DimOp::min || e.op == DimOp::max || e.op == DimOp::equal)
    std::sort(operands.begin(), operands.end());
  std::string out;
  for (const auto& [op, function] : functions)
    if (op == e.op) out = function;
  for (size_t i = 0; i < operands.size(); ++i) out += (i ? ", " : "(") + operands[i];
  return out + ")";
}

std::string DimTable::sum_text(const std::vector<Term>& terms) const {
  struct Product {
    std::vector<std::string> factors;
    int64_t coefficient;
  };
  std::vector<Product> products;
  for (const Term& term : terms) {
    Product& product = products.emplace_back(Product{{}, term.coefficient});
    for (uint32_t atom : term.atoms) product.factors.push_back(text(Dim{atom}));
    std::sort(product.factors.begin(), product.factors.end());
  }
  std::sort(products.begin(), products.end(), [](const Product& a, const Product& b) {
    return a.factors.size() != b.factors.size() ? a.factors.size() > b.factors.size() : a.factors < b.factors;
  });
  std::string out;
  for (const auto& [factors, c] : products) {
    if (!out.empty()) out += c < 0 ? " - " : " + ";
    else if (c < 0) out += "-";
    const bool spelled = std::abs(c) != 1 || factors.empty();
    if (spelled) out += std::to_string(std::abs(c));
    for (size_t i = 0; i < factors.size(); ++i) out += (i || spelled ? "*" : "") + factors[i];
  }
  return out;
}

std::string DimTable::text(std::span<const Dim> shape) const {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + text(shape[i]);
  return out + "]";
}

Result<Dim> DimTable::parse(std::string_view text) { return Parser(*this, text).whole(); }

}  // namespace burnish
