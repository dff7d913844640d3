#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace burnish {

/// Number of a variable of a rule.
using Variable = uint32_t;

/// An operand in a rule: a variable, a number (any constant all of whose elements are it), or whole numbers (a constant).
using Term = std::variant<Variable, double, std::vector<int64_t>>;

/// `Op(%a, 2) {axis=*}`. An attribute that is not named is at its default.
struct RuleCall {
  struct Any {};
  struct Named {
    std::string name;
    std::variant<Any, Variable, std::string>
        what;  // `*`, a variable that takes the number, or the text of a value
  };
  const OpDef* op = nullptr;
  std::vector<Term> operands;
  std::vector<Named> attributes;
};

/// `%y = Div(%x, %d) | Mul(%x, %i)`: what %y may be.
struct RuleStatement {
  Variable result;
  std::vector<RuleCall> calls;
};

struct RuleMatch;

/// What a rule's text cannot say: a fact about the values that its variables stand for; it may set their numbers.
struct RuleCondition {
  std::string_view name;
  size_t arguments;
  bool (*holds)(RuleMatch& match, std::span<const Variable> variables);
};
/// Null if there is none of that name.
const RuleCondition* find_condition(std::string_view name);

/// A pattern and what takes its place. The last statement of each makes the result.
struct Rule {
  struct Asked {
    const RuleCondition* condition;
    std::vector<Variable> variables;
  };
  std::string name;
  std::vector<std::string> variables;  // names, without '%'
  std::vector<RuleStatement> pattern, replacement;
  std::vector<Asked> conditions;

  Variable result() const { return pattern.back().result; }
  /// The statement of the pattern that makes v; null where v may be anything.
  const RuleStatement* definition(Variable v) const;
};

/// Where a pattern was found.
struct RuleMatch {
  const Graph& graph;
  std::vector<ValueId> values;                 // by variable; no_value: not bound
  std::vector<std::optional<double>> numbers;  // by variable: attributes, and what conditions found
  std::vector<uint32_t> nodes;                 // indices; the first made the result

  const Value& value(Variable v) const { return graph.values[values[v]]; }
};

/// Reads the rules of a text (see rules/README.md). Errors begin "line N: ".
Result<std::vector<Rule>> parse_rules(std::string_view text);

/// The pattern with its result at output 0 of `node`, its conditions met and its inner values read by nobody else.
std::optional<RuleMatch> match_rule(const Rule& rule, const Graph& graph, uint32_t node,
                                    const std::vector<uint32_t>& uses);

/// The nodes that take the place of a match, typed; the last writes the result itself. Nullopt if they would give another type.
Result<std::optional<std::vector<Node>>> replace_match(const Rule& rule, const RuleMatch& match,
                                                       Graph& graph);

}  // namespace burnish
