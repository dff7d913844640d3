#include "compiler/build_route.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace burnish {
namespace {

TEST(BuildRoute, SetsWhatItSaysAndNothingElse) {
  CompileOptions options;
  options.tuning.level = 2;
  options.tuning.most_candidates = 7;
  ASSERT_TRUE(
      apply_build_route("  -optimization_level=4\n-libraries=cublaslt,cudnn -workspace_mib=16 ", options));
  EXPECT_EQ(options.tuning.level, 4);
  EXPECT_EQ(options.tuning.most_candidates, 7u);
  EXPECT_EQ(options.libraries, (std::vector<std::string>{"cublaslt", "cudnn"}));
  EXPECT_TRUE(options.tuning.libraries_required);
  EXPECT_EQ(options.limits.workspace, 16u << 20);
  ASSERT_TRUE(
      apply_build_route("-libraries=present -max_tactics=2 -averaged_timings=4 -max_branches=1", options));
  EXPECT_FALSE(options.libraries || options.tuning.libraries_required);
  EXPECT_EQ(options.tuning.most_candidates, 2u);
  EXPECT_EQ(options.tuning.averaged, 4);
  EXPECT_EQ(options.max_branches, 1u);
  ASSERT_TRUE(apply_build_route("", options));
}

TEST(BuildRoute, EveryValueOfEveryKnobIsTaken) {
  const auto told = nlohmann::json::parse(build_knobs());
  EXPECT_FALSE(told["tuner_options"].empty());
  for (const auto& knob : told["tuner_options"]) {
    bool usual = false;
    for (const auto& value : knob["allowed_values"]) {
      CompileOptions options;
      const Result<> applied = apply_build_route(
          "-" + knob["option"].get<std::string>() + "=" + value.get<std::string>(), options);
      EXPECT_TRUE(applied) << applied.error().cause();
      usual = usual || value == knob["default_value"];
    }
    EXPECT_TRUE(usual) << knob["option"];
    EXPECT_FALSE(knob["help"].get<std::string>().empty());
  }
}

TEST(BuildRoute, WhatThereIsNot) {
  const auto refusal = [](std::string_view route) {
    CompileOptions options;
    const Result<> applied = apply_build_route(route, options);
    return applied ? "" : applied.error().cause() + " / " + applied.error().remedy();
  };
  EXPECT_EQ(refusal("-tiles=2"),
            "a build has no knob 'tiles' / its knobs are optimization_level, max_tactics, averaged_timings, "
            "libraries, "
            "max_branches, workspace_mib");
  EXPECT_EQ(refusal("-max_branches=3"), "knob 'max_branches' cannot be '3' / it may be 0, 1, 2, 4, 8");
  for (const char* nothing : {"level", "-optimization_level", "optimization_level=3"})
    EXPECT_EQ(refusal(nothing),
              "'" + std::string(nothing) +
                  "' in a build route chooses nothing / write -knob=value, with spaces between several");
}

}  // namespace
}  // namespace burnish
