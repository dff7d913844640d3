#include "runtime/libraries/cudnn_planner.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "runtime/libraries/cudnn.h"

namespace burnish::cudnn {
namespace {

/// The folder of stand-ins `name`, beside the one that holds this test program.
std::string folder(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "testing" / name;
}

/// A convolution of `channels` channels with a bias and ReLU6.
OperationGraph convolution(int64_t channels, DType dtype = DType::f16) {
  OperationGraph graph;
  const auto tensor = [&](std::vector<int64_t> e, bool between) {
    const std::vector<int64_t> strides = {e[1] * e[2] * e[3], 1, e[1] * e[3], e[1]};
    graph.tensors.push_back({between ? DType::f32 : dtype, std::move(e), strides, between});
    return graph.tensors.size() - 1;
  };
  const size_t x = tensor({1, channels, 8, 8}, false), w = tensor({4, channels, 1, 1}, false),
               sum = tensor({1, 4, 8, 8}, true), bias = tensor({1, 4, 1, 1}, false),
               biased = tensor({1, 4, 8, 8}, true), y = tensor({1, 4, 8, 8}, false);
  graph.operations = {OperationGraph::Convolution{x, w, sum, {0, 0}, {0, 0}, {1, 1}, {1, 1}},
                      OperationGraph::Pointwise{pointwise_add, sum, bias, biased},
                      OperationGraph::Pointwise{pointwise_relu, biased, {}, y, 6.0}};
  return graph;
}

class Planning : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { dlopen((folder("host_gpu") + "/libcuda.so.1").c_str(), RTLD_NOW); }
  void SetUp() override {
    auto device = cuda::Device::open();
    ASSERT_TRUE(device) << device.error().cause();
    auto opened = Planner::open(*device, folder("fake_libraries"));
    ASSERT_TRUE(opened) << opened.error().cause();
    planner = *std::move(opened);
  }
  /// How many descriptors of a kind the library has made final so far.
  static int finalised(Kind kind) {
    void* library = dlopen((folder("fake_libraries") + "/libcudnn.so.9").c_str(), RTLD_NOW | RTLD_NOLOAD);
    return reinterpret_cast<int (*)(int)>(dlsym(library, "fake_cudnn_finalised"))(kind);
  }
  std::unique_ptr<Planner> planner;
};

const Engine first{0, {{2, 7}}}, second{1, {{2, 7}}}, impossible{2, {{2, 7}}};

TEST(EngineText, IsReadAsItIsWritten) {
  for (const Engine& engine : {Engine{41, {{2, 4}, {13, -1}}}, Engine{0, {}}, first})
    EXPECT_EQ(parse_engine(print(engine)), engine);
  EXPECT_EQ(print(Engine{41, {{2, 4}, {13, -1}}}), "engine 41 2=4 13=-1");
  for (const char* other :
       {"", "engine", "engine x", "motor 1", "engine 1 2", "engine 1 2=", "engine 1 2=3 4"})
    EXPECT_FALSE(parse_engine(other)) << other;
}

TEST(GraphText, SaysAllOfIt) {
  EXPECT_EQ(print(convolution(16)),
            "tensor f16 1x16x8x8 1024x1x128x16 aligned to 16\n"
            "tensor f16 4x16x1x1 16x1x16x16 aligned to 16\n"
            "tensor f32 1x4x8x8 256x1x32x4 between\n"
            "tensor f16 1x4x1x1 4x1x4x4 aligned to 16\n"
            "tensor f32 1x4x8x8 256x1x32x4 between\n"
            "tensor f16 1x4x8x8 256x1x32x4 aligned to 16\n"
            "convolution 0 1 2 0x0 0x0 1x1 1x1\n"
            "pointwise 0 2 3 to 4\n"
            "pointwise 100 4 to 5 up to 6\n");
}

TEST_F(Planning, WhatIsAskedAgainIsKnown) {
  const int heuristics = finalised(heuristics_descriptor), plans = finalised(plan_descriptor);
  for (int k = 0; k < 3; ++k) {
    EXPECT_EQ(*planner->proposals(convolution(16)), (std::vector{first, second, impossible}));
    const auto one = planner->plan(convolution(16), first), other = planner->plan(convolution(16), second);
    ASSERT_TRUE(one && other);
    EXPECT_TRUE(one->json.starts_with(R"({"engine":0,"graph":")")) << one->json;
    EXPECT_EQ(one->workspace, 0);
    EXPECT_EQ(other->workspace, 512);
  }
  EXPECT_EQ(finalised(heuristics_descriptor) - heuristics, 1);
  EXPECT_EQ(finalised(plan_descriptor) - plans, 2);
  EXPECT_EQ(planner->counts().found, 6u);
}

TEST_F(Planning, OtherGraphsHaveOtherPlans) {
  EXPECT_NE(planner->plan(convolution(16), first)->json, planner->plan(convolution(24), first)->json);
}

TEST_F(Planning, ARefusalIsKnownAsWell) {
  for (int k = 0; k < 2; ++k) {
    EXPECT_TRUE(planner->proposals(convolution(16, DType::bf16))->empty());
    EXPECT_EQ(planner->plan(convolution(16), impossible).error().cause(),
              "cudnnBackendFinalize: not supported");
    EXPECT_EQ(planner->plan(convolution(16, DType::bf16), first).error().cause(),
              "cudnnBackendFinalize: not supported");
  }
  EXPECT_EQ(planner->counts().heuristics, 1u);
  EXPECT_EQ(planner->counts().plans, 2u);
}

TEST_F(Planning, ManyThreadsMakeEachPlanOnce) {
  const int plans = finalised(plan_descriptor);
  std::vector<std::string> seen(8);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < seen.size(); ++t)
    threads.emplace_back([&, t] {
      for (int64_t k = 0; k < 12; ++k) {
        const int64_t channels = 8 * (1 + (k + static_cast<int64_t>(t)) % 6);
        const auto plan = planner->plan(convolution(channels), first);
        if (channels == 8) seen[t] = plan ? plan->json : "";
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(finalised(plan_descriptor) - plans, 6);
  for (const std::string& json : seen) EXPECT_EQ(json, planner->plan(convolution(8), first)->json);
}

TEST_F(Planning, APlanIsReadAgainForARoutine) {
  const auto session = GraphSession::open(*cuda::Device::open(), folder("fake_libraries"));
  ASSERT_TRUE(session) << session.error().cause();
  const auto plan = planner->plan(convolution(16), second);
  const auto routine = (*session)->prepare(print((*session)->version(), *plan, {0, 1, 3, 5}));
  EXPECT_TRUE(routine) << routine.error().cause();
}

TEST_F(Planning, ForADescribedGpuNoHandleIsNeeded) {
  const auto described = Planner::open_described("{}", folder("fake_libraries"));
  ASSERT_TRUE(described) << described.error().cause();
  EXPECT_EQ((*described)->proposals(convolution(16))->size(), 3u);
  const auto plan = (*described)->plan(convolution(16), second);
  ASSERT_TRUE(plan) << plan.error().cause();
  EXPECT_TRUE(plan->json.ends_with(R"(,"described":1})")) << plan->json;
}

}  // namespace
}  // namespace burnish::cudnn
