#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

#include "compiler/tuning.h"
#include "ir/text.h"
#include "providers/nvrtc/backend.h"
#include "tuner/cuda_timing.h"

namespace burnish {
namespace {

constexpr std::string_view model =
    R"(graph (%x: f16[512, 768], %w: f16[768, 768], %v: f16[768, 3072]) -> (%y) {
  %a = MatMul(%x, %w) : f16[512, 768] @"a"
  %b = MatMul(%a, %w) : f16[512, 768] @"b"
  %y = MatMul(%b, %v) : f16[512, 3072] @"c"
})";

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

TEST(TuningOnGpu, ATimedBuildRepeatsWithItsCache) {
  const auto device = open_cuda_timing("sm_90");
  if (!device) GTEST_SKIP() << device.error().cause();
  const std::filesystem::path cache =
      std::filesystem::temp_directory_path() / "burnish_tuning_gpu_test.timing";
  std::filesystem::remove(cache);
  auto nvrtc = nvrtc::Compiler::open();
  ASSERT_TRUE(nvrtc) << nvrtc.error().cause();
  const nvrtc::NvrtcBackend backend(*nvrtc, *nvrtc::architecture_named("sm_90"));
  ThreadPool pool;
  const TuningOptions options{.level = 3, .cache = cache.string()};
  std::vector<std::string> stages;
  const auto build = [&] {
    stages.clear();
    auto graph = parse(model);
    EXPECT_TRUE(graph) << graph.error().cause();
    KernelCompiler compiler(backend, pool, [&](std::string_view stage, int, int) -> Result<> {
      if (stages.empty() || stages.back() != stage) stages.emplace_back(stage);
      return {};
    });
    TuningContext context{.options = options,
                          .compiler = compiler,
                          .version = "1",
                          .open = [](std::string_view target) { return open_cuda_timing(target); },
                          .clock = seconds_now,
                          .note = [](const std::string&) {}};
    LowerOptions lowering{.backend = &backend, .optimum = [](const DimTable&, Dim) { return int64_t{1}; }};
    auto lowered = lower_tuned(*graph, lowering, context);
    EXPECT_TRUE(lowered) << lowered.error().cause();
    return *std::move(lowered);
  };
  const Lowered timed = build();
  EXPECT_EQ(std::ranges::count(stages, "timing kernels on " + (*device)->name()), 1);
  EXPECT_EQ(std::ranges::count(stages, "timing engines on " + (*device)->name()), 1);
  ASSERT_EQ(timed.plan.decisions.size(), 3u);
  for (const Decision& d : timed.plan.decisions) EXPECT_EQ(d.timed_on, (*device)->name()) << d.node;
  EXPECT_EQ(timed.plan.decisions[0].tactic, timed.plan.decisions[1].tactic);

  const Lowered again = build();
  EXPECT_TRUE(std::ranges::none_of(stages, [](const std::string& s) { return s.starts_with("timing"); }));
  EXPECT_EQ(again.plan, timed.plan);
  EXPECT_EQ(again.sources, timed.sources);
  std::filesystem::remove(cache);
}

}  // namespace
}  // namespace burnish
