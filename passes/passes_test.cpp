#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <sstream>

#include "ir/text.h"
#include "ir/verify.h"
#include "passes/block_testing.h"
#include "passes/pass.h"

/// Runs each pass on the blocks of `passes/<name>.ir`.
namespace burnish {
namespace {

using testing_blocks::Block, testing_blocks::blocks_of, testing_blocks::parsed, testing_blocks::trouble;

/// What the options of a block ask for: "fp16 but NAME result 1 f32", "NAME apart".
struct Asked {
  std::optional<DType> half;
  std::vector<NodePrecision> nodes;
  std::vector<NodePattern> decomposed;
  bool weights_vary = false;

  explicit Asked(const std::string& options) {
    std::istringstream in(options);
    std::vector<std::string> words(std::istream_iterator<std::string>(in), {});
    if (words.size() == 1 && words[0] == "refittable") weights_vary = true;
    else if (words.size() == 2 && words[1] == "apart") decomposed.push_back({words[0]});
    else if (!words.empty()) half = dtype_from_name(words[0] == "fp16" ? "f16" : "bf16");
    if (words.size() > 2 && words[1] == "but") nodes.push_back({.node = {words[2]}});
    if (words.size() == 6) {
      nodes.back().result = std::stoul(words[4]);
      nodes.back().dtype = *dtype_from_name(words[5]);
    }
  }
};

void check(const Pass& pass, const Block& block) {
  SCOPED_TRACE(std::string(pass.name) + ".ir line " + std::to_string(block.line) + ": " + block.what);
  ThreadPool pool(1);
  Graph graph = parsed(block.in);
  ASSERT_EQ(trouble(verify(graph)), "") << block.in;
  const Graph want = parsed(block.same ? block.in : block.out);
  const Asked asked(block.options);
  auto changed = pass.run(graph, {.pool = pool,
                                  .half = asked.half,
                                  .nodes = asked.nodes,
                                  .decomposed = asked.decomposed,
                                  .weights_vary = asked.weights_vary});
  ASSERT_TRUE(changed) << changed.error().cause();
  EXPECT_EQ(trouble(verify(graph)), "") << print(graph);
  EXPECT_TRUE(equal(graph, want)) << "the pass gives\n" << print(graph) << "expected is\n" << print(want);
  if (block.same) EXPECT_FALSE(*changed) << "the pass says that it changed something";
  else EXPECT_TRUE(*changed) << "the pass says that it changed nothing";
}

class EachPass : public ::testing::TestWithParam<const Pass*> {};

TEST_P(EachPass, DoesWhatItsTextSays) {
  const Pass& pass = *GetParam();
  std::ifstream file(std::string(BURNISH_PASSES) + "/" + std::string(pass.name) + ".ir");
  ASSERT_TRUE(file) << "pass '" << pass.name << "' has no text test: write passes/" << pass.name << ".ir";
  const std::vector<Block> blocks = blocks_of(file);
  bool changes = false, leaves = false;
  for (const Block& block : blocks) {
    (block.same ? leaves : changes) = true;
    check(pass, block);
  }
  EXPECT_TRUE(changes) << "no block in which the pass does something";
  EXPECT_TRUE(leaves) << "no block in which the pass rightly does nothing";
}

INSTANTIATE_TEST_SUITE_P(Passes, EachPass, ::testing::ValuesIn(all_passes().begin(), all_passes().end()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST(Passes, TextTestsBelongToPasses) {
  std::set<std::string> names;
  for (const Pass* pass : all_passes()) names.insert(std::string(pass->name));
  for (const auto& entry : std::filesystem::directory_iterator(BURNISH_PASSES))
    EXPECT_TRUE(entry.path().extension() != ".ir" || names.contains(entry.path().stem())) << entry.path();
}

TEST(Passes, ThePipelineUsesEachPass) {
  std::set<const Pass*> used;
  for (const Stage& stage : pipeline()) used.insert(stage.passes.begin(), stage.passes.end());
  for (const Pass* pass : all_passes()) EXPECT_TRUE(used.contains(pass)) << pass->name;
  EXPECT_EQ(used.size(), all_passes().size());
}

TEST(Passes, ThePipelineChecksItsGraph) {
  Graph graph = parsed(
      "graph (%x: f32[2]) -> (%y) {\n"
      "  %y = Relu(%x) : f32[3]\n"
      "}\n");
  ThreadPool pool(1);
  const auto result = run_pipeline(graph, {.pool = pool});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().cause(),
            "node '' (Relu): its result 'y' is said to be f32[3], inference gives f32[2], while checking the "
            "imported graph");
}

}  // namespace
}  // namespace burnish
