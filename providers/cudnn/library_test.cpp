// With stand-ins for the GPU and for cuDNN.
#include "providers/cudnn/library.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "ir/text.h"
#include "providers/nvrtc/kernel_testing.h"

namespace burnish::cudnn {
namespace {

using nvrtc::testing::FreeOperands;
using nvrtc::testing::Layout;

/// How many plans became final in this process.
int plans_made() {
  void* library = dlopen(BURNISH_TESTING "/fake_libraries/libcudnn.so.9", RTLD_NOW | RTLD_NOLOAD);
  return reinterpret_cast<int (*)(int)>(dlsym(library, "fake_cudnn_finalised"))(plan_descriptor);
}

/// Convolutions of 8, 16, … channels.
class Convolutions : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { dlopen(BURNISH_TESTING "/host_gpu/libcuda.so.1", RTLD_NOW); }
  void SetUp() override {
    for (int64_t channels : {8, 16, 24, 32}) {
      const std::string shape = std::to_string(channels);
      auto graph =
          burnish::parse("graph (%x: f16[1, " + shape + ", 4, 4]) -> (%y) {\n  %w = constant f16[1, " +
                         shape + ", 1, 1] {" + ones(channels) +
                         "}\n  %y = Conv(%x, %w) {strides=[1, 1], dilations=[1, 1], pads=[0, 0, 0, 0]} : "
                         "f16[1, 1, 4, 4]\n}");
      ASSERT_TRUE(graph) << graph.error().cause();
      graphs.push_back(*std::move(graph));
    }
    for (Graph& graph : graphs)
      nodes.push_back(std::make_unique<FreeOperands>(graph, graph.nodes.back(), Layout::channels_last,
                                                     Layout::channels_last, "sm_90"));
  }
  static std::string ones(int64_t count) {
    std::string text = "1";
    while (--count > 0) text += ", 1";
    return text;
  }

  static std::unique_ptr<Cudnn> open() {
    auto cudnn = std::make_unique<Cudnn>("sm_90", BURNISH_TESTING "/fake_libraries");
    const Result<> opened = cudnn->open();
    EXPECT_TRUE(opened) << opened.error().cause();
    return cudnn;
  }
  Result<> prepare(Cudnn& cudnn, int threads, const std::function<bool()>& late = [] { return false; }) {
    ThreadPool pool(threads);
    for (auto& node : nodes) cudnn.announce(*node, 6);
    told.clear();
    return cudnn.prepare(
        pool,
        [&](int done, int total) -> Result<> {
          const std::lock_guard lock(mutex);
          told.emplace_back(done, total);
          if (done == ends_at) return Error(Code::cancelled, "the build was cancelled");
          return {};
        },
        late);
  }
  /// The calls of all nodes, under the first tactic of each.
  std::vector<std::string> calls(Cudnn& cudnn) {
    std::vector<std::string> texts;
    for (auto& node : nodes) {
      const auto names = cudnn.tactics(*node, 6);
      if (!names) {
        texts.push_back(names.error().cause());
        continue;
      }
      EXPECT_EQ(*names, std::vector<std::string>{"cudnn 9.19.0 engine 0 2=7"});
      node->routines.clear();
      const Verdict v = cudnn.describe(*node, names->front());
      texts.push_back(v ? node->routines.at(0).text : v.reason());
    }
    return texts;
  }

  std::vector<Graph> graphs;
  std::vector<std::unique_ptr<FreeOperands>> nodes;
  std::mutex mutex;
  std::vector<std::pair<int, int>> told;
  int ends_at = -1;
};

TEST_F(Convolutions, ArePlannedOnSeveralThreadsAndTheSame) {
  const auto alone = open(), beside = open();
  ASSERT_TRUE(prepare(*alone, 1));
  const std::vector<std::string> expected = calls(*alone);
  const int before = plans_made();
  ASSERT_TRUE(prepare(*beside, 4));
  EXPECT_EQ(told.size(), 5u);
  EXPECT_EQ(told.front(), std::pair(0, 4));
  for (int k = 0; k < 3; ++k) EXPECT_EQ(calls(*beside), expected);
  EXPECT_EQ(plans_made() - before, 4);
  EXPECT_EQ(beside->account(), "cudnn was asked for 4 graphs and 4 plans; 24 times it was known");
}

TEST_F(Convolutions, ArePlannedOnce) {
  const auto cudnn = open();
  const int before = plans_made();
  for (int k = 0; k < 2; ++k) {
    ASSERT_TRUE(prepare(*cudnn, 1));
    EXPECT_EQ(calls(*cudnn).size(), 4u);
  }
  EXPECT_EQ(plans_made() - before, 4);
  EXPECT_TRUE(told.empty()) << "the second time nothing is left to do";
}

TEST_F(Convolutions, WhatThereIsNoTimeForIsLeft) {
  for (const int threads : {1, 3}) {
    const auto cudnn = open();
    const int before = plans_made();
    ASSERT_TRUE(prepare(*cudnn, threads, [] { return true; }));
    for (const std::string& text : calls(*cudnn)) EXPECT_EQ(text, "there was no time to plan it");
    EXPECT_EQ(plans_made(), before);
    ASSERT_TRUE(prepare(*cudnn, threads));  // now there is
    for (const std::string& text : calls(*cudnn)) EXPECT_TRUE(text.starts_with("9.19.0 workspace=0")) << text;
  }
}

TEST_F(Convolutions, WhoCancelsIsHeard) {
  const auto cudnn = open();
  ends_at = 2;
  const Result<> ended = prepare(*cudnn, 1);
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().cause(), "the build was cancelled");
  EXPECT_EQ(told.back(), std::pair(2, 4));
}

TEST_F(Convolutions, AnArchitectureThatIsNotHereIsDescribed) {
  Cudnn cudnn("sm_80", BURNISH_TESTING "/fake_libraries");
  ASSERT_TRUE(cudnn.open());
  ASSERT_TRUE(cudnn.describe(*nodes[0], "cudnn 9.19.0 engine 0 2=7"));
  EXPECT_TRUE(nodes[0]->routines.at(0).text.ends_with(R"(,"described":1})"));
  EXPECT_EQ(cudnn.describe(*nodes[1], "cudnn 9.19.0 engine 2 2=7").reason(),
            "cudnnBackendFinalize: not supported, where there is no GPU of sm_80");
}

TEST_F(Convolutions, ABuildFromACachePlansWhatItTakesAlone) {
  const auto cudnn = open();
  const int before = plans_made();
  EXPECT_TRUE(cudnn->describe(*nodes[2], "cudnn 9.19.0 engine 1 2=7"));
  EXPECT_EQ(plans_made() - before, 1);
  for (const char* other : {"cudnn 9.18.0 engine 1 2=7", "cudnn 9.19.0 #1"})
    EXPECT_EQ(cudnn->describe(*nodes[2], other).reason(), "it is not of cuDNN 9.19.0, which is here");
}

}  // namespace
}  // namespace burnish::cudnn
