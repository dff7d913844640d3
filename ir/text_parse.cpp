#include <algorithm>
#include <unordered_map>

#include "ir/constant.h"
#include "ir/op.h"
#include "ir/text.h"
#include "ir/text_token.h"

namespace burnish {

namespace {

/// Recursive descent over the text; `at_` is the next character. Lines are counted only when something is wrong.
class Parser {
 public:
  Parser(std::string_view text, std::span<const std::shared_ptr<const Tensor>> resources)
      : text_(text), resources_(resources), dims_(std::make_shared<DimTable>()) {}

  Result<Graph> whole() {
    auto graph = program();
    if (graph) return graph;
    const auto line =
        1 + std::count(text_.begin(), text_.begin() + static_cast<ptrdiff_t>(std::min(begin_, text_.size())),
                       '\n');
    return Error(graph.error().code(), "line " + std::to_string(line) + ": " + graph.error().cause());
  }

 private:
  using Names = std::unordered_map<std::string, ValueId>;
  struct Scope {
    Graph graph;
    Names names;
  };

  // ---- characters and words

  void skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r') ++at_;
      else if (text_.substr(at_).starts_with("//")) at_ = std::min(text_.find('\n', at_), text_.size());
      else break;
    }
    begin_ = at_;
  }
  bool take(std::string_view what) {
    skip();
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  /// A whole word.
  bool take_word(std::string_view word) {
    skip();
    const size_t end = at_ + word.size();
    if (!text_.substr(at_).starts_with(word) || (end < text_.size() && is_name_part(text_[end])))
      return false;
    at_ = end;
    return true;
  }
  Result<> expect(std::string_view what) {
    if (take(what)) return {};
    return fail("expected '" + std::string(what) + "'" + found());
  }
  static Error fail(std::string what) { return Error(Code::invalid_argument, std::move(what)); }
  std::string found() const {
    if (at_ >= text_.size()) return ", the text ends";
    return ", found '" + std::string(text_.substr(at_, std::min<size_t>(text_.find('\n', at_) - at_, 20))) +
           "'";
  }
  /// The rest of the line before the first of `stops` outside quotes and brackets, without trailing spaces.
  std::string_view until(std::string_view stops) {
    skip();
    const std::string_view line = text_.substr(at_, text_.find('\n', at_) - at_);
    std::string_view part = line.substr(0, length_before(line, stops));
    at_ += part.size();
    while (!part.empty() && (part.back() == ' ' || part.back() == '\t' || part.back() == '\r'))
      part.remove_suffix(1);
    return part;
  }
  std::string_view word() {
    const size_t from = at_;
    while (at_ < text_.size() && is_name_part(text_[at_])) ++at_;
    return text_.substr(from, at_ - from);
  }
  Result<std::string> quoted() {
    const size_t from = at_++;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_)
      if (text_[at_] == '\\') ++at_;
    if (at_ >= text_.size()) return fail("a string is not closed");
    ++at_;
    return read_string(text_.substr(from, at_ - from));
  }
  bool at_quote() const { return at_ < text_.size() && text_[at_] == '"'; }
  Result<int64_t> number() {
    skip();
    const size_t from = at_;
    while (at_ < text_.size() &&
           (std::isdigit(static_cast<unsigned char>(text_[at_])) || (at_ == from && text_[at_] == '-')))
      ++at_;
    return read_integer(text_.substr(from, at_ - from));
  }

  // ---- values and types

  struct Token {
    std::string key;   // the token, unique in its graph
    std::string name;  // empty: unnamed
  };
  Result<Token> token() {
    TRY(expect("%"));
    if (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) {
      const size_t from = at_;
      while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) ++at_;
      return Token{std::string(text_.substr(from, at_ - from)), {}};
    }
    Token t{{}, at_quote() ? TRY(quoted()) : std::string(word())};
    if (t.name.empty()) return fail("a value has no name" + found());
    t.key = name_token(t.name);
    if (at_ < text_.size() && text_[at_] == '~') {
      ++at_;
      t.key += '~' + std::to_string(TRY(number()));
    }
    return t;
  }
  static Result<ValueId> define(Scope& scope, Token t) {
    const auto [it, fresh] = scope.names.try_emplace(t.key, static_cast<ValueId>(scope.graph.values.size()));
    if (!fresh) return fail("value '" + t.key + "' is defined twice");
    return scope.graph.add_value({}, std::move(t.name));
  }
  Result<ValueId> use(const Scope& scope) {
    const Token t = TRY(token());
    const auto it = scope.names.find(t.key);
    if (it == scope.names.end()) return fail("value '" + t.key + "' is not defined before its use");
    return it->second;
  }
  /// Not a name that begins with '_'.
  bool take_nothing() { return take_word("_"); }

  Result<Dim> extent(std::string_view text) {
    if (!text.empty() && text.size() < 18 &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return dims_->constant(TRY(read_integer(text)));
    return dims_->parse(text);
  }
  Result<std::vector<Dim>> extents() {
    TRY(expect("["));
    const std::string_view inside = until("]");
    TRY(expect("]"));
    std::vector<Dim> all;
    for (std::string_view part : split_list(inside)) all.push_back(TRY(extent(part)));
    return all;
  }
  Result<DType> dtype() {
    skip();
    const std::string_view name = word();
    if (const auto t = dtype_from_name(name)) return *t;
    return fail("'" + std::string(name) + "' is no element type");
  }
  Result<> type(Value& value) {
    value.type.dtype = TRY(dtype());
    value.type.shape = TRY(extents());
    if (take("=")) value.content = TRY(extents());
    return {};
  }

  // ---- statements

  Result<std::shared_ptr<const Tensor>> tensor() {
    const DType type = TRY(dtype());
    TRY(expect("["));
    const std::string_view inside = until("]");
    TRY(expect("]"));
    Shape shape;
    int64_t count = 1;
    bool too_many = false;
    for (std::string_view part : split_list(inside)) {
      shape.push_back(TRY(read_integer(part)));
      if (shape.back() < 0) return fail("an extent is negative");
      too_many = __builtin_mul_overflow(count, shape.back(), &count) || too_many;
    }
    if (take("#")) {
      const int64_t place = TRY(number());
      if (place < 0 || static_cast<uint64_t>(place) >= resources_.size() ||
          !resources_[static_cast<size_t>(place)])
        return fail("there is no tensor #" + std::to_string(place));
      const auto& t = resources_[static_cast<size_t>(place)];
      if (t->dtype() != type || t->shape() != shape)
        return fail("tensor #" + std::to_string(place) + " has another type");
      return t;
    }
    if (take("…")) return fail("the elements of a constant were left out");
    TRY(expect("{"));
    const std::vector<std::string_view> elements = split_list(until("}"));
    TRY(expect("}"));
    if (too_many || count != static_cast<int64_t>(elements.size()))
      return fail("a constant has " + std::to_string(elements.size()) +
                  " elements, its extents need another number");
    Tensor t = Tensor::zeros(type, std::move(shape));
    for (size_t i = 0; i < elements.size(); ++i) TRY(read_element(elements[i], t, static_cast<int64_t>(i)));
    return std::make_shared<const Tensor>(std::move(t));
  }

  Result<> constant(Scope& scope, const std::vector<ValueId>& results) {
    if (results.size() != 1 || results[0] == no_value) return fail("a constant has one result");
    make_constant(scope.graph, results[0], TRY(tensor()));
    return {};
  }

  Result<> attributes(Node& node) {
    do {
      skip();
      const std::string_view name = word();
      TRY(expect("="));
      TRY(node.attrs.parse_field(name, until(",}"), *dims_).during("reading " + std::string(node.op->name)));
    } while (take(","));
    return expect("}");
  }

  Result<> regions(Node& node) {
    while (!take("}")) node.regions.push_back(TRY(graph()));
    return {};
  }

  Result<> statement(Scope& scope) {
    Node node;
    std::vector<Token> tokens;
    if (skip(); at_ < text_.size() && (text_[at_] == '%' || text_[at_] == '_')) {
      do tokens.push_back(take_nothing() ? Token() : TRY(token()));
      while (take(","));
      TRY(expect("="));
    }
    skip();
    const std::string_view name = word();
    if (name == "constant") {
      if (tokens.size() != 1) return fail("a constant has one result");
      return constant(scope, {TRY(define(scope, std::move(tokens[0])))});
    }
    node.op = find_op(name);
    if (!node.op || !node.op->infer)
      return fail("there is no operator '" + std::string(name) + "'" + (name.empty() ? found() : ""));
    if (node.op->attrs) node.attrs = Attrs(node.op->attrs);
    TRY(operands(scope, node));
    bool has_regions = false;
    if (take("{")) {
      has_regions = take_region_start();
      if (!has_regions) TRY(attributes(node));
    }
    if (!has_regions) {
      TRY(results(scope, node, std::move(tokens)));
      has_regions = take("{");
    } else if (!tokens.empty()) {
      return fail("a result of " + std::string(name) + " has no type");
    }
    if (has_regions) TRY(regions(node));
    scope.graph.nodes.push_back(std::move(node));
    return {};
  }

  // After '{': a region, or attributes?
  bool take_region_start() {
    skip();
    if (at_ < text_.size() && text_[at_] == '}') return true;
    const size_t from = at_;
    const bool region = take_word("graph") && !take("=");
    at_ = from;
    return region;
  }

  Result<> operands(const Scope& scope, Node& node) {
    TRY(expect("("));
    if (take(")")) return {};
    do node.inputs.push_back(take_nothing() ? no_value : TRY(use(scope)));
    while (take(","));
    return expect(")");
  }

  Result<> results(Scope& scope, Node& node, std::vector<Token> tokens) {
    std::vector<ValueId> defined;
    for (Token& t : tokens) {
      node.outputs.push_back(t.key.empty() ? no_value : TRY(define(scope, std::move(t))));
      if (node.outputs.back() != no_value) defined.push_back(node.outputs.back());
    }
    for (size_t i = 0; i < defined.size(); ++i) {
      TRY(expect(i ? "," : ":"));
      TRY(type(scope.graph.values[defined[i]]));
    }
    while (take("@")) {
      if (!at_quote()) return fail("expected a name in \" \" after '@'");
      node.provenance.push_back(TRY(quoted()));
    }
    return {};
  }

  // ---- graphs

  struct Origin {
    Dim symbol;
    SymbolOrigin::Kind kind;
    std::string key;
    uint32_t index;
  };
  Result<Origin> origin() {
    Origin o{TRY(symbol("=")), {}, {}, 0};
    TRY(expect("="));
    if (take_word("input")) o.kind = SymbolOrigin::Kind::input;
    else if (take_word("extent")) o.kind = SymbolOrigin::Kind::extent;
    else if (take_word("content")) o.kind = SymbolOrigin::Kind::content;
    else return fail("expected input, extent or content" + found());
    TRY(expect("("));
    o.key = TRY(token()).key;
    TRY(expect(","));
    o.index = TRY(read_integer<uint32_t>(until(")")));
    TRY(expect(")"));
    return o;
  }
  /// The symbol spelled before one of `stops`; `range` if it is new.
  Result<Dim> symbol(std::string_view stops) {
    const std::string_view spelled = until(stops);
    const Dim d = TRY(dims_->parse(spelled));
    if (dims_->op(d) != DimOp::symbol) return fail("'" + std::string(spelled) + "' is no symbol");
    return d;
  }

  Result<Graph> graph() {
    if (++depth_ > 64) return fail("regions are nested too deep");
    if (!take_word("graph")) return fail("expected 'graph'" + found());
    Scope scope;
    scope.graph.dims = dims_;
    skip();
    scope.graph.name = at_quote() ? TRY(quoted()) : std::string(word());
    TRY(expect("("));
    while (!take(")")) {
      if (!scope.graph.inputs.empty()) TRY(expect(","));
      scope.graph.inputs.push_back(TRY(define(scope, TRY(token()))));
      TRY(expect(":"));
      TRY(type(scope.graph.values[scope.graph.inputs.back()]));
    }
    TRY(expect("->"));
    TRY(expect("("));
    std::vector<std::string> outputs;  // defined further down
    while (!take(")")) {
      if (!outputs.empty()) TRY(expect(","));
      outputs.push_back(TRY(token()).key);
    }
    std::vector<Origin> origins;
    if (take_word("where")) {
      do origins.push_back(TRY(origin()));
      while (take(","));
    }
    TRY(expect("{"));
    while (!take("}")) TRY(statement(scope));
    for (const std::string& key : outputs) scope.graph.outputs.push_back(TRY(defined(scope, key)));
    for (const Origin& o : origins)
      scope.graph.origins[o.symbol] = {o.kind, TRY(defined(scope, o.key)), o.index};
    scope.graph.index();
    --depth_;
    return std::move(scope.graph);
  }
  static Result<ValueId> defined(const Scope& scope, const std::string& key) {
    const auto it = scope.names.find(key);
    if (it == scope.names.end()) return fail("value '" + key + "' is not defined");
    return it->second;
  }

  /// A symbol's name, plain or in ' ', before it is in the table: its range must be there from the start.
  Result<std::string> symbol_name() {
    skip();
    if (at_ >= text_.size() || text_[at_] != '\'') return std::string(word());
    std::string name;
    for (++at_; at_ < text_.size() && text_[at_] != '\''; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      name += text_[at_];
    }
    TRY(expect("'"));
    return name;
  }
  Result<> declaration() {
    const std::string name = TRY(symbol_name());
    if (name.empty()) return fail("expected a symbol" + found());
    Range range{1, DimTable::unbounded};
    if (take_word("in")) {
      range.lo = TRY(number());
      TRY(expect(".."));
      if (at_ < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[at_])) || text_[at_] == '-'))
        range.hi = TRY(number());
      if (range.hi < range.lo) return fail("symbol '" + name + "' has an empty range");
    }
    dims_->symbol(name, range);
    return {};
  }
  Result<> requirement() {
    const Dim a = TRY(dims_->parse(until("=")));
    TRY(expect("=="));
    const Dim b = TRY(dims_->parse(until("\"")));
    if (!at_quote()) return fail("expected the reason in \" \"" + found());
    return dims_->unify(a, b, TRY(quoted()));
  }

  Result<Graph> program() {
    if (take_word("symbols")) {
      do TRY(declaration());
      while (take(","));
    }
    while (take_word("require")) TRY(requirement());
    Graph g = TRY(graph());
    if (skip(); at_ < text_.size()) return fail("expected the end" + found());
    return g;
  }

  std::string_view text_;
  std::span<const std::shared_ptr<const Tensor>> resources_;
  std::shared_ptr<DimTable> dims_;
  size_t at_ = 0, begin_ = 0;  // begin_: of the last word looked at, for the line number
  int depth_ = 0;
};

}  // namespace

Result<Graph> parse(std::string_view text, std::span<const std::shared_ptr<const Tensor>> resources) {
  return Parser(text, resources).whole();
}

}  // namespace burnish
