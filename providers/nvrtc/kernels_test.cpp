#include <gtest/gtest.h>

#include <set>

#include "providers/nvrtc/kernel_cases.h"

namespace burnish::nvrtc::testing {

static NvrtcBackend backend_for(std::string_view target) {
  Result<Compiler> compiler = Compiler::open();
  EXPECT_TRUE(compiler) << compiler.error().cause();
  return NvrtcBackend(*compiler, *architecture_named(target));
}

/// The sources of a case's launches; none if it was refused.
static std::vector<std::string> sources_of(const NvrtcBackend& backend, const KernelCase& c) {
  burnish::testing::TestGraph t;
  const Result<> grown = grow(t, c);
  EXPECT_TRUE(grown) << c.text() << ": " << grown.error().cause();
  if (t.graph.nodes.empty()) {
    ADD_FAILURE() << c.text() << " left no node";
    return {};
  }
  FreeOperands operands(t.graph, t.graph.nodes.back(), c.in, c.out);
  const Verdict verdict = backend.describe(operands);
  EXPECT_TRUE(verdict) << c.text() << " was refused: " << verdict.reason();
  EXPECT_TRUE(!verdict || !operands.calls.empty()) << c.text();
  std::vector<std::string> sources;
  for (const KernelCall& call : operands.calls) sources.push_back(backend.emit(operands, call).text);
  return sources;
}

static void expect_compiles(const NvrtcBackend& backend, const std::vector<std::string>& sources) {
  std::vector<std::string> errors(sources.size());
  ThreadPool pool(0);
  pool.parallel_for(static_cast<int64_t>(sources.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto k = static_cast<size_t>(i);
      if (auto cubin = backend.compile(sources[k]); !cubin)
        errors[k] = cubin.error().cause() + "\n" + sources[k];
    }
  });
  for (const std::string& error : errors) EXPECT_EQ(error, "");
}

TEST(Kernels, EveryCaseCompiles) {
  const NvrtcBackend backend = backend_for("sm_90");
  std::set<std::string> sources;
  for (const KernelCase& c : kernel_cases())
    for (std::string& source : sources_of(backend, c)) sources.insert(std::move(source));
  expect_compiles(backend, {sources.begin(), sources.end()});
}

TEST(Kernels, EveryOpCompilesForEveryArchitecture) {
  for (const Architecture& architecture : architectures()) {
    const NvrtcBackend backend = backend_for(architecture.target);
    std::vector<std::string> sources;
    std::set<std::string> seen;
    for (const KernelCase& c : kernel_cases())
      if (seen.insert(c.op).second)
        for (std::string& source : sources_of(backend, c)) sources.push_back(std::move(source));
    expect_compiles(backend, sources);
  }
}

/// The sources of a case under each of its tactics.
static std::set<std::string> sources_by_tactic(const NvrtcBackend& backend, const KernelCase& c) {
  burnish::testing::TestGraph t;
  EXPECT_TRUE(grow(t, c));
  std::set<std::string> sources;
  FreeOperands first(t.graph, t.graph.nodes.back(), c.in, c.out);
  EXPECT_TRUE(backend.describe(first));
  for (const Tactic& tactic : first.tactics) {
    FreeOperands operands(t.graph, t.graph.nodes.back(), c.in, c.out);
    operands.wanted = tactic.name;
    EXPECT_TRUE(backend.describe(operands));
    EXPECT_EQ(operands.tactics[operands.chosen].name, tactic.name);
    for (const KernelCall& call : operands.calls) sources.insert(backend.emit(operands, call).text);
  }
  EXPECT_EQ(sources.size(), first.tactics.size()) << c.text();
  return sources;
}

TEST(Kernels, EveryTacticCompiles) {
  const NvrtcBackend backend = backend_for("sm_80");
  std::vector<std::string> sources;
  for (const KernelCase& c :
       std::vector<KernelCase>{{"MatMul", {"f16[96, 64]", "f16[64, 80]"}},
                               {"MatMul", {"f32[96, 64]", "f32[64, 80]"}},
                               {"Conv",
                                {"f32[1, 8, 20, 20]", burnish::testing::random_tensor({8, 1, 3, 3})},
                                {{"group", int64_t{8}}},
                                1,
                                Layout::channels_last,
                                Layout::channels_last},
                               {"ReduceMean", {"f32[64, 3000]"}, {{"axes", std::vector<int64_t>{1}}}}})
    for (const std::string& source : sources_by_tactic(backend, c)) sources.push_back(source);
  expect_compiles(backend, sources);
}

static std::string refusal(const KernelCase& c) {
  const NvrtcBackend backend = backend_for("sm_90");
  burnish::testing::TestGraph t;
  EXPECT_TRUE(grow(t, c));
  FreeOperands operands(t.graph, t.graph.nodes.back(), c.in, c.out);
  return backend.describe(operands).reason();
}

TEST(Kernels, RefusalsSayWhy) {
  using burnish::testing::ints;
  EXPECT_EQ(refusal({"TopK", {"f32[9]", "i64[1] = k"}, {}, 2}), "k is not known when the engine is built");
  EXPECT_EQ(refusal({"Range", {"f32[]", "f32[]", "f32[]"}}), "only ranges of integers have a device kernel");
  EXPECT_EQ(refusal({"Resize", {"u8[2, 3]", "", "", ints({4, 6})}, {{"mode", std::string("linear")}}}),
            "no device kernel that interpolates u8");
  EXPECT_EQ(refusal({"Pad", {"f32[2, 3]", "i64[4]"}}), "the pads are not known before the engine runs");
  EXPECT_EQ(refusal({"GRU",
                     {"f32[5, 1, 8]", "f32[1, 9600, 8]", "f32[1, 9600, 3200]"},
                     {{"activations", std::vector<std::string>{"Sigmoid", "Tanh"}},
                      {"alpha", std::vector<float>(2)},
                      {"beta", std::vector<float>(2)}},
                     2}),
            "the state of 3200 elements does not fit a block");
}

}  // namespace burnish::nvrtc::testing
