#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "ir/element.h"
#include "ir/op.h"
#include "passes/rule.h"

namespace burnish {

namespace {

bool is_close(double a, double b, double tolerance) { return std::abs(a - b) <= tolerance * std::abs(b); }

// Every element is `number`, as far as an exporter's spelling and the type's digits go.
bool is_filled_with(const Tensor* t, double number) {
  if (!t || t->count() == 0) return false;
  const double tolerance = t->dtype() == DType::f16 || t->dtype() == DType::bf16 ? 1e-2 : 1e-5;
  return visit_storage(t->dtype(), [&]<class T>(T*) {
    return std::all_of(t->data<T>(), t->data<T>() + t->count(), [&](T x) {
      if constexpr (std::is_arithmetic_v<T>) return is_close(static_cast<double>(x), number, tolerance);
      else return is_close(static_cast<double>(to_float(x)), number, tolerance);
    });
  });
}

bool is_list(const Graph& graph, ValueId v, const std::vector<int64_t>& numbers) {
  const std::vector<Dim>* content = graph.content(v);
  return content && std::equal(content->begin(), content->end(), numbers.begin(), numbers.end(),
                               [&](Dim d, int64_t n) { return graph.dims->is_constant(d, n); });
}

std::optional<double> number_of(const Field& field, const Attrs& attrs) {
  if (field.kind == Field::Kind::real) return *static_cast<const float*>(attrs.field(field));
  if (field.kind == Field::Kind::integer)
    return static_cast<double>(*static_cast<const int64_t*>(attrs.field(field)));
  return std::nullopt;
}

// `to` is nobody else's.
void copy_field(const Field& field, const Attrs& from, Attrs& to) {
  auto copy = [&]<class T>(T*) {
    *static_cast<T*>(to.field_for_writing(field)) = *static_cast<const T*>(from.field(field));
  };
  switch (field.kind) {
    case Field::Kind::integer: return copy(static_cast<int64_t*>(nullptr));
    case Field::Kind::real: return copy(static_cast<float*>(nullptr));
    case Field::Kind::boolean: return copy(static_cast<bool*>(nullptr));
    case Field::Kind::integers: return copy(static_cast<std::vector<int64_t>*>(nullptr));
    default: return;  // no rule leaves an attribute of another kind open
  }
}

bool commutes(const OpDef* op) { return op->name == "Add" || op->name == "Mul"; }

/// Backtracking search: every function matches one thing, then asks `next` for the rest.
class Matcher {
 public:
  using Next = std::function<bool()>;

  Matcher(const Rule& rule, const Graph& graph, const std::vector<uint32_t>& uses)
      : rule_(rule),
        graph_(graph),
        uses_(uses),
        match_{graph,
               std::vector<ValueId>(rule.variables.size(), no_value),
               std::vector<std::optional<double>>(rule.variables.size()),
               {}} {}

  std::optional<RuleMatch> run(uint32_t root) {
    std::optional<RuleMatch> found;
    variable(rule_.result(), graph_.nodes[root].outputs[0], [&] {
      RuleMatch candidate = match_;
      if (!is_closed() || !meets_conditions(candidate)) return false;
      found.emplace(std::move(candidate));
      return true;
    });
    return found;
  }

 private:
  bool term(const Term& term, ValueId v, const Next& next) {
    if (const auto* variable_number = std::get_if<Variable>(&term))
      return variable(*variable_number, v, next);
    if (const auto* number = std::get_if<double>(&term))
      return is_filled_with(graph_.constant(v), *number) && next();
    return is_list(graph_, v, std::get<std::vector<int64_t>>(term)) && next();
  }

  bool variable(Variable x, ValueId v, const Next& next) {
    if (v == no_value) return false;
    if (match_.values[x] != no_value) return match_.values[x] == v && next();
    match_.values[x] = v;
    const RuleStatement* statement = rule_.definition(x);
    if (statement ? definition(*statement, v, next) : next()) return true;
    match_.values[x] = no_value;
    return false;
  }

  const Node* producer(ValueId v) const {
    const Node* node = graph_.producer(v);
    return node && !node->dead && node->regions.empty() && node->outputs[0] == v ? node : nullptr;
  }

  bool definition(const RuleStatement& statement, ValueId v, const Next& next) {
    const Node* node = producer(v);
    return node && std::any_of(statement.calls.begin(), statement.calls.end(),
                               [&](const RuleCall& c) { return c.op == node->op && call(c, *node, next); });
  }

  bool call(const RuleCall& c, const Node& node, const Next& next) {
    const std::vector<std::optional<double>> numbers = match_.numbers;
    match_.nodes.push_back(static_cast<uint32_t>(&node - graph_.nodes.data()));
    if (attributes(c, node) &&
        (commutes(c.op) ? factors(c.op, c.operands, node, next) : operands(c.operands, node, 0, next)))
      return true;
    match_.nodes.pop_back();
    match_.numbers = numbers;
    return false;
  }

  bool operands(const std::vector<Term>& terms, const Node& node, size_t i, const Next& next) {
    size_t count = node.inputs.size();
    while (count > 0 && node.inputs[count - 1] == no_value) --count;
    if (count != terms.size()) return false;
    if (i == count) return next();
    return term(terms[i], node.inputs[i], [&] { return operands(terms, node, i + 1, next); });
  }

  // Operands of a commutative operator in any order; more than two are any nesting of it.
  bool factors(const OpDef* op, const std::vector<Term>& terms, const Node& node, const Next& next) {
    for (size_t left = 1; left + 1 < size_t{1} << terms.size(); ++left) {
      std::vector<Term> sides[2];
      for (size_t i = 0; i < terms.size(); ++i) sides[left >> i & 1 ? 0 : 1].push_back(terms[i]);
      if (side(op, sides[0], node.inputs[0], [&] { return side(op, sides[1], node.inputs[1], next); }))
        return true;
    }
    return false;
  }

  bool side(const OpDef* op, const std::vector<Term>& terms, ValueId v, const Next& next) {
    if (terms.size() == 1) return term(terms[0], v, next);
    const Node* node = producer(v);
    if (!node || node->op != op) return false;
    match_.nodes.push_back(static_cast<uint32_t>(node - graph_.nodes.data()));
    if (factors(op, terms, *node, next)) return true;
    match_.nodes.pop_back();
    return false;
  }

  // What the call asks for: its own values, the node's where any will do, defaults elsewhere.
  bool attributes(const RuleCall& c, const Node& node) {
    if (!node.attrs.schema()) return c.attributes.empty();
    Attrs wanted(node.attrs.schema());
    DimTable& dims = *graph_.dims;
    for (const RuleCall::Named& named : c.attributes)
      if (const auto* text = std::get_if<std::string>(&named.what))
        (void)wanted.parse_field(named.name, *text, dims);  // parse_rules has read it before
    for (const Field& field : node.attrs.schema()->fields()) {
      const auto named = std::find_if(c.attributes.begin(), c.attributes.end(),
                                      [&](const RuleCall::Named& n) { return n.name == field.name; });
      const bool any = named != c.attributes.end() && !std::holds_alternative<std::string>(named->what);
      if (any && std::holds_alternative<Variable>(named->what))
        match_.numbers[std::get<Variable>(named->what)] = number_of(field, node.attrs);
      const bool near = field.kind == Field::Kind::real &&
                        is_close(*number_of(field, node.attrs), *number_of(field, wanted), 1e-5);
      if (any || near) copy_field(field, node.attrs, wanted);
    }
    return wanted == node.attrs;
  }

  // Nobody else reads what the pattern makes on the way.
  bool is_closed() const {
    std::set<uint32_t> nodes(match_.nodes.begin(), match_.nodes.end());
    std::map<ValueId, uint32_t> read;
    for (uint32_t n : nodes)
      for (ValueId v : graph_.nodes[n].inputs) ++read[v];
    return std::all_of(std::next(match_.nodes.begin()), match_.nodes.end(), [&](uint32_t n) {
      const std::vector<ValueId>& outputs = graph_.nodes[n].outputs;
      return std::all_of(outputs.begin(), outputs.end(),
                         [&](ValueId v) { return v == no_value || uses_[v] == read[v]; });
    });
  }

  bool meets_conditions(RuleMatch& match) const {
    return std::all_of(rule_.conditions.begin(), rule_.conditions.end(), [&](const Rule::Asked& asked) {
      return asked.condition->holds(match, asked.variables);
    });
  }

  const Rule& rule_;
  const Graph& graph_;
  const std::vector<uint32_t>& uses_;
  RuleMatch match_;
};

}  // namespace

std::optional<RuleMatch> match_rule(const Rule& rule, const Graph& graph, uint32_t node,
                                    const std::vector<uint32_t>& uses) {
  return Matcher(rule, graph, uses).run(node);
}

}  // namespace burnish
