#include <algorithm>

#include "ir/literal.h"
#include "ir/op.h"
#include "passes/rule.h"

namespace burnish {

namespace {

Error fail(std::string what) { return Error(Code::invalid_argument, std::move(what)); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Line by line: `rule NAME`, statements, `becomes`, statements, `where` conditions.
class RuleParser {
 public:
  Result<std::vector<Rule>> run(std::string_view text) {
    for (size_t number = 1; !text.empty(); ++number) {
      const size_t end = std::min(text.find('\n'), text.size());
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      auto done = read_line(trimmed(line.substr(0, line.find("//"))));
      if (!done) return fail("line " + std::to_string(number) + ": " + done.error().cause());
    }
    TRY(check_last());
    return std::move(rules_);
  }

 private:
  Result<> read_line(std::string_view line) {
    if (line.empty()) return {};
    if (line.starts_with("rule ")) {
      TRY(check_last());
      rules_.push_back({.name = std::string(trimmed(line.substr(5)))});
      into_ = &Rule::pattern;
      return {};
    }
    if (rules_.empty()) return fail("expected 'rule', found '" + std::string(line) + "'");
    if (line == "becomes") {
      into_ = &Rule::replacement;
      return {};
    }
    if (line.starts_with("where ")) return conditions(trimmed(line.substr(6)));
    return statement(line);
  }

  Result<> check_last() const {
    if (rules_.empty() || (!rules_.back().pattern.empty() && !rules_.back().replacement.empty())) return {};
    return fail("rule '" + rules_.back().name + "' needs a pattern and a replacement");
  }

  Result<Variable> variable(std::string_view text) {
    if (!text.starts_with('%') || text.size() < 2) return fail("'" + std::string(text) + "' is no variable");
    std::vector<std::string>& names = rules_.back().variables;
    const auto found = std::find(names.begin(), names.end(), text.substr(1)) - names.begin();
    if (static_cast<size_t>(found) == names.size()) names.emplace_back(text.substr(1));
    return static_cast<Variable>(found);
  }

  Result<Term> term(std::string_view text) {
    if (text.starts_with('%')) return Term(TRY(variable(text)));
    if (!text.starts_with('[')) return Term(TRY(read_real<double>(text)));
    std::vector<int64_t> numbers;
    for (std::string_view part : split_list(text.substr(1, text.size() - 2)))
      numbers.push_back(TRY(read_integer(part)));
    return Term(std::move(numbers));
  }

  Result<RuleCall::Named> attribute(const RuleCall& call, std::string_view text) {
    const size_t equal = std::min(text.find('='), text.size() - 1);
    RuleCall::Named named{std::string(trimmed(text.substr(0, equal))), RuleCall::Any()};
    const std::string_view value = trimmed(text.substr(equal + 1));
    Attrs attrs(call.op->attrs);
    DimTable dims;
    if (value == "*") return named;
    if (value.starts_with('%')) named.what = TRY(variable(value));
    else if (auto read = attrs.parse_field(named.name, value, dims); !read) return std::move(read).error();
    else named.what = std::string(value);
    return named;
  }

  // `Op(a, b) {c=d}`
  Result<RuleCall> call(std::string_view text) {
    const size_t open = text.find('('), close = text.find(')');
    if (open == text.npos || close == text.npos)
      return fail("expected 'Op(…)', found '" + std::string(text) + "'");
    RuleCall call{.op = find_op(text.substr(0, open))};
    if (!call.op) return fail("there is no operator '" + std::string(text.substr(0, open)) + "'");
    for (std::string_view part : split_list(text.substr(open + 1, close - open - 1)))
      call.operands.push_back(TRY(term(part)));
    std::string_view rest = trimmed(text.substr(close + 1));
    if (rest.empty()) return call;
    if (!rest.starts_with('{') || !rest.ends_with('}'))
      return fail("expected '{…}', found '" + std::string(rest) + "'");
    for (std::string_view part : split_list(rest.substr(1, rest.size() - 2)))
      call.attributes.push_back(TRY(attribute(call, part)));
    return call;
  }

  Result<> statement(std::string_view line) {
    const size_t equal = std::min(line.find('='), line.size());
    RuleStatement made{TRY(variable(trimmed(line.substr(0, equal)))), {}};
    for (std::string_view rest = line.substr(std::min(equal + 1, line.size())); !rest.empty();) {
      const size_t end = std::min(rest.find('|'), rest.size());
      made.calls.push_back(TRY(call(trimmed(rest.substr(0, end)))));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (into_ == &Rule::replacement && made.calls.size() != 1)
      return fail("a replacement has no alternatives");
    (rules_.back().*into_).push_back(std::move(made));
    return {};
  }

  // `number(%eps), last_axes(%mean, %axis)`
  Result<> conditions(std::string_view text) {
    for (std::string_view part : split_list(text)) {
      const size_t open = std::min(part.find('('), part.size());
      Rule::Asked asked{find_condition(part.substr(0, open)), {}};
      if (!asked.condition || !part.ends_with(')'))
        return fail("there is no condition '" + std::string(part) + "'");
      for (std::string_view name : split_list(part.substr(open + 1, part.size() - open - 2)))
        asked.variables.push_back(TRY(variable(name)));
      if (asked.variables.size() != asked.condition->arguments)
        return fail(std::string(asked.condition->name) + " takes " +
                    std::to_string(asked.condition->arguments) + " variables");
      rules_.back().conditions.push_back(std::move(asked));
    }
    return {};
  }

  std::vector<Rule> rules_;
  std::vector<RuleStatement> Rule::* into_ = &Rule::pattern;
};

}  // namespace

const RuleStatement* Rule::definition(Variable v) const {
  for (const RuleStatement& statement : pattern)
    if (statement.result == v) return &statement;
  return nullptr;
}

Result<std::vector<Rule>> parse_rules(std::string_view text) { return RuleParser().run(text); }

}  // namespace burnish
