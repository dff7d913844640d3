#include "passes/rule.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "ir/op.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/block_testing.h"
#include "passes/pass.h"
#include "passes/rule_texts.h"

/// Runs recover_operators on the blocks of each `passes/rules/<name>.ir`, until no rule fits any more.
namespace burnish {

extern const Pass pass_recover_operators;

namespace {

using testing_blocks::Block, testing_blocks::parsed, testing_blocks::trouble;

std::string cause_of(std::string_view text) {
  const auto rules = parse_rules(text);
  return rules ? "" : rules.error().cause();
}

TEST(Rules, ErrorsNameTheLine) {
  EXPECT_EQ(cause_of("  %y = Relu(%x)"), "line 1: expected 'rule', found '%y = Relu(%x)'");
  EXPECT_EQ(cause_of("rule a\n%y = Rely(%x)"), "line 2: there is no operator 'Rely'");
  EXPECT_EQ(cause_of("rule a\n%y = Gelu(%x) {axis=1}"), "line 2: there is no attribute 'axis'");
  EXPECT_EQ(cause_of("rule a\n%y = Relu(x)"), "line 2: 'x' is no number");
  EXPECT_EQ(cause_of("rule a\n%y = Relu(%x)\nbecomes\n%y = Abs(%x) | Neg(%x)"),
            "line 4: a replacement has no alternatives");
  EXPECT_EQ(cause_of("rule a\n%y = Relu(%x)\nbecomes\n%y = Abs(%x)\nwhere cheap(%x)"),
            "line 5: there is no condition 'cheap(%x)'");
  EXPECT_EQ(cause_of("rule a\n%y = Relu(%x)\nbecomes\n%y = Abs(%x)\nwhere number(%x, %y)"),
            "line 5: number takes 1 variables");
  EXPECT_EQ(cause_of("rule a\n%y = Relu(%x)"), "rule 'a' needs a pattern and a replacement");
}

class EachRuleFile : public ::testing::TestWithParam<RuleText> {};

// Names of the rules that fit somewhere in the graph.
void note_fitting(const std::vector<Rule>& rules, const Graph& graph, std::set<std::string>& names) {
  for (const Rule& rule : rules)
    for (uint32_t n = 0; n < graph.nodes.size(); ++n)
      if (match_rule(rule, graph, n, graph.use_counts())) names.insert(rule.name);
}

TEST_P(EachRuleFile, DoesWhatItsTextSays) {
  const std::string path(GetParam().path.substr(0, GetParam().path.rfind('.')));
  const auto rules = parse_rules(GetParam().text);
  ASSERT_TRUE(rules) << rules.error().cause();
  std::ifstream file(std::string(BURNISH_PASSES) + "/../" + path + ".ir");
  ASSERT_TRUE(file) << "write " << path << ".ir";
  std::set<std::string> fitting;
  ThreadPool pool(1);
  for (const Block& block : testing_blocks::blocks_of(file)) {
    SCOPED_TRACE(path + ".ir line " + std::to_string(block.line) + ": " + block.what);
    Graph graph = parsed(block.in);
    ASSERT_EQ(trouble(verify(graph)), "") << block.in;
    bool changed = true;
    for (int round = 0; changed && round < 8; ++round) {
      note_fitting(*rules, graph, fitting);
      auto result = pass_recover_operators.run(graph, {.pool = pool});
      ASSERT_TRUE(result) << result.error().cause();
      EXPECT_EQ(trouble(verify(graph)), "") << print(graph);
      changed = *result;
      EXPECT_FALSE(changed && block.same);
    }
    const Graph want = parsed(block.same ? block.in : block.out);
    EXPECT_TRUE(equal(graph, want)) << "the rules give\n" << print(graph) << "expected is\n" << print(want);
  }
  for (const Rule& rule : *rules) EXPECT_TRUE(fitting.contains(rule.name)) << "no block tests " << rule.name;
}

INSTANTIATE_TEST_SUITE_P(Rules, EachRuleFile, ::testing::ValuesIn(rule_texts().begin(), rule_texts().end()),
                         [](const auto& info) {
                           const std::string_view path = info.param.path;
                           const size_t from = path.rfind('/') + 1;
                           return std::string(path.substr(from, path.rfind('.') - from));
                         });

}  // namespace
}  // namespace burnish
