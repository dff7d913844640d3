#include "compiler/debug_tensors.h"

#include <gtest/gtest.h>

#include "compiler/lower.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace burnish {
namespace {

Graph parsed(std::string_view text) {
  auto graph = parse(text);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause());
  return graph ? *std::move(graph) : Graph();
}

std::string outputs(const Graph& graph) {
  std::string names;
  for (ValueId v : graph.outputs) names += (names.empty() ? "" : " ") + graph.values[v].name;
  return names;
}

constexpr std::string_view chain =
    R"(graph (%x: f32[n, 4], %w: f32[4, 4]) -> (%y) where n = input(%x, 0) {
  %four = constant f32[] {4}
  %p = MatMul(%x, %w) : f32[n, 4]
  %r = Mul(%p, %four) : f32[n, 4]
  %s = Dims() {dims=[4, n]} : i64[2] = [4, n]
  %y = Reshape(%r, %s) : f32[4, n]
}
)";

TEST(DebugTensors, AreOutputsAfterTheModelsOwn) {
  Graph graph = parsed(chain);
  ASSERT_TRUE(add_debug_tensors(graph, std::vector<std::string>{"r", "y", "x"}));
  ASSERT_TRUE(verify(graph));
  EXPECT_EQ(outputs(graph), "y r y x");
  const auto lowered = lower(graph, {.optimum = [](const DimTable&, Dim) { return int64_t{2}; }});
  ASSERT_TRUE(lowered) << lowered.error().cause();
  EXPECT_EQ(lowered->plan.outputs.size(), 4u);
}

TEST(DebugTensors, NamesThatTheModelDoesNotHave) {
  for (const char* name : {"q", "four", ""}) {
    Graph graph = parsed(chain);
    const Result<> added = add_debug_tensors(graph, std::vector<std::string>{name});
    ASSERT_FALSE(added) << name;
    EXPECT_EQ(added.error().cause(),
              "no tensor that the model computes is named '" + std::string(name) + "'");
    EXPECT_EQ(added.error().remedy(),
              "name an input or what a node makes; constants, and tensors inside of bodies, are none");
  }
}

TEST(DebugTensors, UnfusedOnesAreWhatIsInMemoryAnyway) {
  Graph graph = parsed(
      R"(graph (%x: f32[n, 4], %w: f32[4, 4]) -> (%y) where n = input(%x, 0) {
  %r = Fused(%x, %w) : f32[n, 4] {
    graph region(%a: f32[n, 4], %b: f32[4, 4]) -> (%d) {
      %c = MatMul(%a, %b) : f32[n, 4]
      %d = Relu(%c) : f32[n, 4]
    }
  }
  %s = Dims() {dims=[4, n]} : i64[2] = [4, n]
  %y = Reshape(%r, %s) : f32[4, n]
}
)");
  add_unfused_tensors(graph);
  ASSERT_TRUE(verify(graph));
  EXPECT_EQ(outputs(graph), "y r");
}

}  // namespace
}  // namespace burnish
