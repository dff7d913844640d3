#include "compiler/refit.h"

#include <gtest/gtest.h>

#include "compiler/refit_record.h"

namespace burnish {
namespace {

/// tests/cli/test_refit.py and tests/models hold refits of models to builds; here is what these cannot bring about.
std::string refusal(const EngineFile& engine, NewWeights weights = {}) {
  const auto refitted = refit(engine, std::move(weights), {});
  return refitted ? "no error" : refitted.error().cause() + " / " + refitted.error().remedy();
}

EngineFile engine_for(const std::string& target) {
  EngineFile engine;
  engine.identity.burnish_version = "0.0.9";
  engine.plans.resize(1);
  engine.plans[0].target = target;
  engine.refit.emplace();
  engine.refit->kernels = "another";
  return engine;
}

TEST(Refit, KernelsOfAnotherVersionCannotTakeWeights) {
  EXPECT_EQ(refusal(engine_for("sm_90")),
            "the engine was built by another version of Burnish (0.0.9), whose kernels or plans differ / "
            "refit it with the version that built it, or build it again");
  EXPECT_NE(refusal(engine_for("cpu")), refusal(engine_for("sm_90")));  // the host has none
}

TEST(Refit, AModelThatIsNoneIsAnError) {
  EXPECT_EQ(refusal(engine_for("cpu")),
            "the model is empty / The file is damaged or not an ONNX model: export or download it again.");
}

TEST(Refit, OptionsComeBackAsTheyWere) {
  RefitRecord record;
  record.weights = {{.name = "w", .fixed = true}, {.name = "v"}};
  record.half = DType::bf16;
  record.tf32 = record.debug_unfused = record.any_library = true;
  record.node_precisions = {{"head*", DType::bf16, 2}};
  record.decomposed_attention = {"attention*"};
  record.debug_tensors = {"c"};
  record.shapes = {{"x", {-1, 3}}};
  record.profiles = {{{{"x", {{1, 2, 8}, {3, 3, 3}}}}}};
  record.input_formats = {{"x", true, DType::f16, false}};
  record.output_formats = {{"y", false, DType::f32, true}};
  record.workspace_bytes = 99;
  record.shared_bytes = 98;
  record.max_branches = 3;
  record.level = 4;
  std::vector<Plan> plans(2);
  plans[0].target = "sm_90";
  plans[1].target = "cpu";
  const CompileOptions options = options_of(record, plans);
  EXPECT_EQ(options.targets, (std::vector<std::string>{"sm_90", "cpu"}));
  EXPECT_EQ(options.refittable, Refittable::listed);
  EXPECT_EQ(options.listed_weights, std::vector<std::string>{"v"});
  EXPECT_EQ(options.half, DType::bf16);
  EXPECT_TRUE(options.tf32 && options.debug_unfused);
  EXPECT_EQ(options.node_precisions.at(0).node.text, "head*");
  EXPECT_EQ(options.node_precisions.at(0).dtype, DType::bf16);
  EXPECT_EQ(options.node_precisions.at(0).result, 2u);
  EXPECT_EQ(options.decomposed_attention.at(0).text, "attention*");
  EXPECT_EQ(options.debug_tensors, std::vector<std::string>{"c"});
  EXPECT_EQ(options.shapes.at("x"), (std::vector<int64_t>{-1, 3}));
  EXPECT_EQ(options.profiles.at(0).at("x").at(0).opt, 2);
  EXPECT_EQ(options.input_formats.at("x").dtype, DType::f16);
  EXPECT_EQ(options.output_formats.at("y").layout, Layout::channels_last);
  EXPECT_EQ(options.limits.workspace, 99u);
  EXPECT_EQ(options.limits.shared, 98u);
  EXPECT_EQ(options.max_branches, 3u);
  EXPECT_EQ(options.tuning.level, 4);
  EXPECT_FALSE(options.libraries);
}

}  // namespace
}  // namespace burnish
