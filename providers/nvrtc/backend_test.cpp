#include "providers/nvrtc/backend.h"

#include <gtest/gtest.h>

#include "ops/squeeze_excite/squeeze_excite.h"
#include "providers/nvrtc/kernel_cases.h"

namespace burnish::nvrtc::testing {
namespace {

/// A launch, and its source.
struct Emitted {
  KernelCall call;
  std::string text;
};

std::vector<Emitted> emitted(std::string_view target, const KernelCase& c) {
  const NvrtcBackend backend(std::nullopt, *architecture_named(target));
  burnish::testing::TestGraph t;
  EXPECT_TRUE(grow(t, c)) << c.text();
  FreeOperands operands(t.graph, t.graph.nodes.back(), c.in, c.out, backend.target());
  EXPECT_TRUE(backend.describe(operands)) << c.text();
  std::vector<Emitted> all;
  for (const KernelCall& call : operands.calls) all.push_back({call, backend.emit(operands, call).text});
  return all;
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const KernelCase by_weights{"MatMul", {"f16[300, 512]", Tensor::zeros(DType::f16, {512, 768})}};
const KernelCase by_values{"MatMul", {"f16[300, 512]", "f16[512, 768]"}};

TEST(Backend, KernelsStartEarlyAndWaitBeforeTheyTouchWhatOthersWrite) {
  for (const char* target : {"sm_90", "sm_100", "sm_120"})
    for (const KernelCase& c : kernel_cases())
      for (const Emitted& kernel : emitted(target, c)) {
        EXPECT_TRUE(holds(kernel.text, ") {\nrelease_dependents();\n")) << c.text();
        EXPECT_NE(holds(kernel.text, "wait_for_prerequisites();"), kernel.call.waits) << c.text();
      }
}

TEST(Backend, OlderGpusKnowNoEarlyStart) {
  for (const KernelCase& c : kernel_cases())
    for (const Emitted& kernel : emitted("sm_80", c)) {
      EXPECT_FALSE(holds(kernel.text, "release_dependents") || holds(kernel.text, "wait_for_prerequisites"));
      EXPECT_FALSE(kernel.call.waits) << c.text();
    }
}

TEST(Backend, WeightsAreFetchedBeforeTheWait) {
  const std::vector<Emitted> weights = emitted("sm_90", by_weights), values = emitted("sm_90", by_values);
  ASSERT_EQ(weights.size(), 1u);
  ASSERT_EQ(values.size(), 1u);
  EXPECT_TRUE(weights[0].call.waits);
  EXPECT_FALSE(values[0].call.waits);
}

// The blocks of a cluster tell each other; without one a launch tells the next.
TEST(Backend, SqueezeAndExcitationIsOneKernelWhereThereAreClusters) {
  auto weights = [](const Shape& shape) { return Tensor::zeros(DType::f16, shape); };
  const KernelCase c{
      "SqueezeExcite",
      {"f16[2, 96, 56, 56]", weights({4, 96, 1, 1}), weights({4}), weights({96, 4, 1, 1}), weights({96})},
      {},
      1,
      Layout::channels_last,
      Layout::channels_last};
  const std::vector<Emitted> one = emitted("sm_90", c), two = emitted("sm_80", c);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0].call.cluster, 8);
  EXPECT_TRUE(one[0].call.waits);  // its weights are constants
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].call.cluster, 1);
  EXPECT_LE(two[0].call.shared_bytes, 48 << 10);
}

// The rule that makes the operator of what exporters spell out counts on it.
TEST(Backend, SqueezeAndExcitationTakesAllChannelsThatTheRuleLeavesIt) {
  const std::string c = std::to_string(most_squeezed_channels), h = std::to_string(most_hidden_channels);
  for (const std::string type : {"f16", "bf16", "f32", "f64"})
    for (const std::string positions : {"1, 1", "7, 7", "500, 500"})
      for (const Layout layout : {Layout::channels_last, Layout::dense}) {
        const KernelCase kernel{
            "SqueezeExcite",
            {type + "[2, " + c + ", " + positions + "]", type + "[" + h + ", " + c + ", 1, 1]",
             type + "[" + h + "]", type + "[" + c + ", " + h + ", 1, 1]", type + "[" + c + "]"},
            {},
            1,
            layout,
            layout};
        EXPECT_FALSE(emitted("sm_80", kernel).empty()) << kernel.text();
      }
}

// What is said to be read alone may be read at any time, also before the wait.
TEST(Backend, OnlyConstantsAreSaidToBeReadAlone) {
  constexpr std::string_view alone = "const half* __restrict__";
  EXPECT_TRUE(holds(emitted("sm_80", by_values)[0].text, alone));
  EXPECT_FALSE(holds(emitted("sm_90", by_values)[0].text, alone));
  const KernelCase gathered{"MatMul", {"f16[300, 511]", Tensor::zeros(DType::f16, {511, 767})}};
  EXPECT_TRUE(holds(emitted("sm_90", gathered)[0].text, alone));
}

}  // namespace
}  // namespace burnish::nvrtc::testing
