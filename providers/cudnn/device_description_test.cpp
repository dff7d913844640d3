#include "providers/cudnn/device_description.h"

#include <gtest/gtest.h>

#include <iostream>

#include "ir/text.h"
#include "providers/cudnn/graph_of.h"
#include "providers/nvrtc/compile.h"
#include "providers/nvrtc/kernel_testing.h"

namespace burnish::cudnn {
namespace {

OperationGraph convolution() {
  auto graph = parse(
      "graph (%x: f16[1, 8, 16, 16]) -> (%y) {\n  %w = constant f16[1, 8, 1, 1] {1, 2, 3, 4, 5, 6, 7, 8}\n"
      "  %y = Conv(%x, %w) {strides=[1, 1], dilations=[1, 1], pads=[0, 0, 0, 0]} : f16[1, 1, 16, 16]\n}");
  using nvrtc::testing::Layout;
  nvrtc::testing::FreeOperands ctx(*graph, graph->nodes.back(), Layout::channels_last, Layout::channels_last);
  NodeGraph node;
  (void)graph_of(ctx, node);
  return node.graph;
}

/// Whether the library, if it is there, plans for each architecture; says on the way what it does not.
bool plans_for_all() {
  for (const nvrtc::Architecture& architecture : nvrtc::architectures()) {
    const auto planner = Planner::open_described(*describe_device(architecture.target), "");
    if (!planner && planner.error().code() == Code::io_error) return true;
    const auto ways = planner ? (*planner)->proposals(convolution()) : planner.error();
    bool planned = false;
    if (ways)
      for (const Engine& way : *ways) planned = planned || (*planner)->plan(convolution(), way);
    if (planned) continue;
    std::cerr << architecture.target << ": " << (ways ? "no plan" : ways.error().cause()) << "\n";
    return false;
  }
  return true;
}

TEST(DeviceDescription, IsOneThatTheLibraryPlansFor) {
  GTEST_FLAG_SET(death_test_style,
                 "threadsafe");  // in a process of its own, where no stand-in is loaded; what the library
  // keeps at its end is its own
  EXPECT_EXIT(std::_Exit(plans_for_all() ? 0 : 1), ::testing::ExitedWithCode(0), "");
}

TEST(DeviceDescription, IsOfEveryArchitectureThatKernelsAreFor) {
  for (const nvrtc::Architecture& architecture : nvrtc::architectures())
    EXPECT_TRUE(describe_device(architecture.target)) << architecture.target;
  EXPECT_EQ(describe_device("sm_75").error().cause(), "no GPU of sm_75 is described to cuDNN");
}

}  // namespace
}  // namespace burnish::cudnn
