#include "cli/report/document.h"

#include <gtest/gtest.h>

namespace burnish::cli::report {
namespace {

const Json description = Json::parse(R"json({
  "burnish": "1.2.3", "model": "net", "file_bytes": 10,
  "graph": "graph net(%x: f16[n, 3, 4, 4]) -> (%y) {\n  %w = constant f16[16, 3, 1, 1] …\n  %y = Conv(%x, %w) : f16[n, 16, 4, 4] @\"conv\"\n}\n",
  "plans": [{
    "target": "sm_90", "precision": "fp16",
    "host_reasons": ["node 'find' (NonZero): its result's extents are found by running it"],
    "moves": ["node 'pad' (Pad): its border has to be written"],
    "fusion_reasons": [],
    "decisions": [{"node": "conv", "tactic": "b", "candidates": [{"tactic": "a", "estimate": 1.5}, {"tactic": "b", "estimate": 1}]}],
    "inputs": [{"name": "x", "dtype": "f16", "axes": [{"text": "n"}, {"text": "3"}]}],
    "outputs": [],
    "steps": [
      {"name": "conv", "kind": "kernel", "reads": [0, 1], "writes": [2]},
      {"name": "conv", "kind": "kernel", "reads": [2], "writes": [3]},
      {"name": "pad", "kind": "kernel", "reads": [3], "writes": [4]},
      {"name": "find", "kind": "host", "reads": [4], "writes": [5]},
      {"name": "choose", "kind": "if",
       "then": [{"name": "low", "kind": "kernel"}], "else": [{"name": "high", "kind": "kernel"}]}],
    "storage": [{"kind": "input", "space": "device", "name": "x", "first_step": 0, "last_step": 0},
                {"kind": "constant", "space": "device", "bytes": 96, "first_step": 0, "last_step": 0},
                {"kind": "temporary", "space": "device", "first_step": 0, "last_step": 1},
                {"kind": "temporary", "space": "device", "first_step": 1, "last_step": 2},
                {"kind": "temporary", "space": "device", "first_step": 2, "last_step": 3},
                {"kind": "output", "space": "host", "name": "y", "first_step": 3, "last_step": 3}]}]})json");

Json documented(const Measurement& measured) {
  return engine_document(description, description["plans"][0], measured);
}

TEST(Document, NeighbouringStepsOfANodeAreOneLayer) {
  Measurement measured;
  measured.steps = Json::parse(R"([
    {"name": "conv", "kind": "kernel", "ms": 1.0, "flops": 100, "bytes_read": 5, "bytes_written": 7, "least_ms": 0.5},
    {"name": "conv", "kind": "kernel", "ms": 0.5}, {"name": "pad", "kind": "kernel", "ms": 0.25},
    {"name": "find", "kind": "host", "ms": 2}, {"name": "choose", "kind": "if", "ms": 0.125},
    {"name": "high", "kind": "kernel", "ms": 3}])");
  const Json engine = documented(measured);
  const Json& layers = engine["layers"];
  ASSERT_EQ(layers.size(), 6u);
  EXPECT_EQ(layers[0]["ms"], 1.5);
  EXPECT_EQ(layers[0]["steps"], 2);
  EXPECT_EQ(layers[0]["flops"], 100);
  EXPECT_EQ(layers[0]["inputs"], Json({0, 1}));
  EXPECT_EQ(layers[0]["op"], "Conv");
  EXPECT_EQ(layers[0]["shape"], "n x 16 x 4 x 4");
  EXPECT_FALSE(layers[0].contains("estimated"));
  EXPECT_EQ(layers[2]["kind"], "host");
  EXPECT_FALSE(layers[2].contains("flops"));
}

TEST(Document, ABranchThatWasNotTakenHasNoTime) {
  Measurement measured;
  measured.steps = Json::parse(
      R"([{"name": "choose", "kind": "if", "ms": 1}, {"name": "high", "kind": "kernel", "ms": 3}])");
  const Json layers = documented(measured)["layers"];
  EXPECT_EQ(layers[3]["name"], "choose");
  EXPECT_EQ(layers[4]["name"], "low");
  EXPECT_FALSE(layers[4].contains("ms"));
  EXPECT_EQ(layers[5]["ms"], 3);
}

TEST(Document, TensorsLiveFromLayerToLayer) {
  const Json tensors = documented({})["tensors"];
  EXPECT_EQ(tensors[2]["first_layer"], 0);
  EXPECT_EQ(tensors[2]["last_layer"], 0);
  EXPECT_EQ(tensors[3]["last_layer"], 1);
  EXPECT_FALSE(tensors[3].contains("first_step"));
}

TEST(Document, WorkThatNobodyMeasuredIsEstimatedFromTheExtents) {
  EXPECT_FALSE(documented({})["layers"][0].contains("flops"));
  Measurement measured;
  measured.extents = {{"n", 2}};
  const Json engine = documented(measured), layer = engine["layers"][0];
  EXPECT_EQ(engine["extents"], Json({{"n", 2}}));
  EXPECT_EQ(layer["flops"], 2 * (2 * 16 * 4 * 4) * 3);
  EXPECT_EQ(layer["estimated"], true);
}

TEST(Document, LintNamesTheLayerAndWhy) {
  const Json lint = documented({})["lint"];
  ASSERT_EQ(lint.size(), 4u);
  EXPECT_EQ(lint[0]["rule"], "host step");
  EXPECT_EQ(lint[0]["layer"], 2);
  EXPECT_EQ(lint[0]["what"], "its result's extents are found by running it");
  EXPECT_EQ(lint[1]["rule"], "data movement");
  EXPECT_EQ(lint[1]["what"], "its border has to be written");
  EXPECT_EQ(lint[2]["what"],
            "3 input channels of f16, no multiple of 8: tensor cores load 16 bytes at a time");
  EXPECT_EQ(lint[3]["what"], "1 of 1 tactics were chosen without timing them");
}

TEST(Document, DecisionsPointAtTheirLayer) {
  const Json decisions = documented({})["decisions"];
  ASSERT_EQ(decisions.size(), 1u);
  EXPECT_EQ(decisions[0]["layer"], 0);
  EXPECT_EQ(decisions[0]["candidates"].size(), 2u);
}

}  // namespace
}  // namespace burnish::cli::report
