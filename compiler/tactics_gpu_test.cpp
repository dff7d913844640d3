#include <gtest/gtest.h>

#include "compiler/tactics.h"
#include "providers/nvrtc/kernel_testing.h"
#include "tuner/cuda_timing.h"

namespace burnish {
namespace {

using nvrtc::testing::FreeOperands;
using nvrtc::testing::KernelCase;
using nvrtc::testing::Layout;

/// Operators with a choice of tactics, in shapes that fill their tiles and that do not.
std::vector<KernelCase> cases() {
  std::vector<KernelCase> all;
  const auto weights = [](Shape shape) { return burnish::testing::random_tensor(std::move(shape)); };
  for (const char* type : {"f16", "bf16", "f32"}) {
    const std::string t = type;
    for (const auto& [m, k, n] : {std::tuple(1, 512, 1000), {300, 77, 130}, {1024, 768, 768}}) {
      const std::string mk = "[" + std::to_string(m) + ", " + std::to_string(k) + "]",
                        kn = "[" + std::to_string(k) + ", " + std::to_string(n) + "]";
      all.push_back({"MatMul", {t + mk, t + kn}});
    }
    all.push_back({"MatMul", {t + "[batch, 12, 100, 64]", t + "[batch, 12, 64, 100]"}});
  }
  for (int64_t stride : {1, 2})
    for (int64_t kernel : {1, 3, 7})
      for (const Layout layout : {Layout::channels_last, Layout::dense}) {
        const std::vector<int64_t> pads(4, kernel / 2), strides(2, stride);
        all.push_back({"Conv",
                       {"f32[2, 16, 30, 28]", weights({24, 16, kernel, kernel})},
                       {{"pads", pads}, {"strides", strides}},
                       1,
                       layout,
                       layout});
        all.push_back({"Conv",
                       {"f32[2, 16, 30, 28]", weights({16, 1, kernel, kernel})},
                       {{"pads", pads}, {"strides", strides}, {"group", int64_t{16}}},
                       1,
                       layout,
                       layout});
      }
  for (const char* op : {"ReduceMean", "ReduceMax"})
    for (const auto& [x, axes, layout] : std::vector<std::tuple<const char*, std::vector<int64_t>, Layout>>{
             {"f16[2, 2048, 7, 7]", {2, 3}, Layout::channels_last},
             {"f16[2, 2048, 7, 7]", {2, 3}, Layout::dense},
             {"f32[batch, 3000]", {1}, Layout::gaps},
             {"f32[5, 20]", {0}, Layout::dense}})
      all.push_back({op, {x}, {{"axes", axes}}, 1, layout, Layout::dense});
  return all;
}

/// Why tactics of the case are refused, by name.
std::string refusals(TimingDevice& device, const Backend& backend, const KernelCase& c, ThreadPool& pool) {
  burnish::testing::TestGraph t;
  EXPECT_TRUE(grow(t, c)) << c.text();
  FreeOperands operands(t.graph, t.graph.nodes.back(), c.in, c.out);
  const auto choice = find_choice(c.text(), operands, {backend, {}});
  if (!choice) return {};
  const Problem problem = choice->problem(choice->tactics.size(), {});
  std::vector<const std::string*> sources;
  for (const Candidate& candidate : problem.candidates)
    for (const ProblemLaunch& launch : candidate.launches) sources.push_back(&launch.source);
  std::vector<Result<std::vector<std::byte>>> made(sources.size());
  pool.parallel_for(static_cast<int64_t>(sources.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      made[static_cast<size_t>(i)] = backend.compile(*sources[static_cast<size_t>(i)]);
  });
  CompiledKernels kernels;
  for (size_t i = 0; i < sources.size(); ++i) kernels.emplace(*sources[i], made[i]);
  auto run = device.prepare(problem, kernels);
  if (!run) return run.error().cause();
  std::string all;
  for (size_t i = 0; i < problem.candidates.size(); ++i) {
    const auto verdict = (*run)->admit(i);
    if (!verdict) return verdict.error().cause();
    const std::string& tactic = problem.candidates[i].tactic;
    if (!*verdict) all += tactic + ": " + verdict->reason() + "\n";
    else if (const auto time = (*run)->time(i); !time || !(*time > 0)) all += tactic + ": not timed\n";
  }
  return all;
}

TEST(TacticsOnGpu, AllTacticsOfACaseAgree) {
  auto device = open_cuda_timing("sm_90");
  if (!device) GTEST_SKIP() << device.error().cause();
  auto compiler = nvrtc::Compiler::open();
  ASSERT_TRUE(compiler) << compiler.error().cause();
  const nvrtc::NvrtcBackend backend(*compiler, *nvrtc::architecture_named("sm_90"));
  ThreadPool pool;
  for (const KernelCase& c : cases()) EXPECT_EQ(refusals(**device, backend, c, pool), "") << c.text();
}

}  // namespace
}  // namespace burnish
