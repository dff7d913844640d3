#include "passes/pass.h"
#include "passes/rule.h"
#include "passes/rule_texts.h"

namespace burnish {

namespace {

Result<std::vector<Rule>> read_rules() {
  std::vector<Rule> rules;
  for (const RuleText& file : rule_texts()) {
    std::vector<Rule> more = TRY(parse_rules(file.text).during("reading " + std::string(file.path)));
    std::move(more.begin(), more.end(), std::back_inserter(rules));
  }
  return rules;
}

/// Replaces what the rules find; what a replacement makes possible is found the next time.
Result<bool> recover(Graph& graph, const std::vector<Rule>& rules) {
  const std::vector<uint32_t> uses = graph.use_counts();
  const auto count = static_cast<uint32_t>(graph.nodes.size());
  std::vector<std::vector<Node>> replaced(count);
  bool changed = false;
  for (uint32_t i = 0; i < count; ++i)
    for (const Rule& rule : rules) {
      if (graph.nodes[i].dead || graph.nodes[i].outputs.empty()) continue;
      const std::optional<RuleMatch> match = match_rule(rule, graph, i, uses);
      if (!match) continue;
      auto nodes = TRY(replace_match(rule, *match, graph));
      if (!nodes) continue;
      replaced[i] = *std::move(nodes);
      for (uint32_t n : match->nodes) graph.nodes[n].dead = true;
      changed = true;
    }
  if (!changed) return false;
  std::vector<Node> nodes;
  for (uint32_t i = 0; i < count; ++i) {
    if (!graph.nodes[i].dead) nodes.push_back(std::move(graph.nodes[i]));
    std::move(replaced[i].begin(), replaced[i].end(), std::back_inserter(nodes));
  }
  graph.nodes = std::move(nodes);
  graph.index();
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) {
  static const Result<std::vector<Rule>> rules = read_rules();
  if (!rules) return Error(Code::internal, rules.error().cause());
  return for_each_graph(graph, [](Graph& g) { return recover(g, *rules); });
}

}  // namespace

extern const Pass pass_recover_operators;
const Pass pass_recover_operators = {
    "recover_operators", "finds operators that an exporter spelled out, by the rules in passes/rules", run};

}  // namespace burnish
