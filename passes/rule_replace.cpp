#include <algorithm>
#include <map>

#include "ir/element.h"
#include "ir/infer.h"
#include "passes/provenance.h"
#include "passes/rule.h"

namespace burnish {

namespace {

Tensor scalar(DType dtype, double number) {
  Tensor t = Tensor::zeros(dtype, {});
  visit_storage(dtype, [&]<class T>(T*) {
    T& to = *reinterpret_cast<T*>(t.writable());
    if constexpr (std::is_same_v<T, half>) to = to_half(static_cast<float>(number));
    else if constexpr (std::is_same_v<T, bfloat16>) to = to_bfloat16(static_cast<float>(number));
    else to = static_cast<T>(number);
  });
  return t;
}

/// Writes the nodes of a replacement.
class Writer {
 public:
  Writer(const Rule& rule, const RuleMatch& match, Graph& graph)
      : rule_(rule), match_(match), graph_(graph) {}

  Result<std::optional<std::vector<Node>>> run() {
    const ValueId result = match_.values[rule_.result()];
    const TensorType type = graph_.values[result].type;
    std::vector<Node> nodes;
    for (const RuleStatement& statement : rule_.replacement) {
      const bool last = &statement == &rule_.replacement.back();
      nodes.push_back(node(statement.calls[0], type.dtype));
      made_[statement.result] = last ? result : graph_.add_value({});
      nodes.back().outputs = {made_[statement.result]};
      const Result<> inferred = infer(graph_, nodes.back());
      if (inferred && (!last || graph_.values[result].type == type)) continue;
      graph_.values[result].type = type;
      return std::optional<std::vector<Node>>();
    }
    return std::optional(std::move(nodes));
  }

 private:
  Node node(const RuleCall& call, DType dtype) {
    Node node{.op = call.op, .attrs = attributes(call)};
    for (const Term& term : call.operands) node.inputs.push_back(operand(term, dtype));
    for (uint32_t n = 0; n < graph_.nodes.size(); ++n)
      if (std::find(match_.nodes.begin(), match_.nodes.end(), n) != match_.nodes.end())
        add_provenance(node.provenance, graph_.nodes[n]);
    return node;
  }

  ValueId operand(const Term& term, DType dtype) {
    if (const auto* x = std::get_if<Variable>(&term)) {
      const auto made = made_.find(*x);
      return made != made_.end() ? made->second : match_.values[*x];
    }
    if (const auto* number = std::get_if<double>(&term)) return graph_.add_constant(scalar(dtype, *number));
    const auto& list = std::get<std::vector<int64_t>>(term);
    return graph_.add_constant(Tensor::of<int64_t>(DType::i64, {static_cast<int64_t>(list.size())}, list));
  }

  Attrs attributes(const RuleCall& call) {
    if (!call.op->attrs) return {};
    Attrs attrs(call.op->attrs);
    for (const RuleCall::Named& named : call.attributes) {
      if (const auto* text = std::get_if<std::string>(&named.what)) {
        (void)attrs.parse_field(named.name, *text, *graph_.dims);  // parse_rules has read it before
        continue;
      }
      const std::optional<double> number = match_.numbers[std::get<Variable>(named.what)];
      for (const Field& field : call.op->attrs->fields())
        if (field.name == named.name && number) {
          void* to = attrs.field_for_writing(field);
          if (field.kind == Field::Kind::real) *static_cast<float*>(to) = static_cast<float>(*number);
          else *static_cast<int64_t*>(to) = static_cast<int64_t>(*number);
        }
    }
    return attrs;
  }

  const Rule& rule_;
  const RuleMatch& match_;
  Graph& graph_;
  std::map<Variable, ValueId> made_;
};

}  // namespace

Result<std::optional<std::vector<Node>>> replace_match(const Rule& rule, const RuleMatch& match,
                                                       Graph& graph) {
  return Writer(rule, match, graph).run();
}

}  // namespace burnish
