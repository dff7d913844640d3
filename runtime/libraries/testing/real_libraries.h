#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <random>

#include "base/half.h"
#include "runtime/cuda/memory.h"
#include "runtime/libraries/cudnn.h"

namespace burnish::testing {

using Values = std::vector<double>;

/// The real libraries on a GPU; tests are skipped where either is missing.
class RealLibraries : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = cuda::Device::open();
    if (!opened) GTEST_SKIP() << opened.error().cause();
    device.emplace(*std::move(opened));
    scope.emplace(must(device->enter()));
    stream.emplace(must(cuda::Stream::create(*device)));
  }
  template <class T>
  static T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().cause());
    return *std::move(result);
  }

  /// Numbers that FP16 holds exactly, between -1 and 1.
  static Values random(size_t count, unsigned seed) {
    std::mt19937 engine(seed);
    Values values(count);
    for (double& v : values) v = static_cast<double>(engine() % 257) / 128 - 1;
    return values;
  }
  /// FP16 in memory of the GPU.
  CUdeviceptr upload(const Values& values) {
    std::vector<half> block;
    for (double v : values) block.push_back(to_half(static_cast<float>(v)));
    return upload(block.data(), block.size() * sizeof(half));
  }
  CUdeviceptr upload(const void* bytes, size_t count) {
    memory.push_back(must(cuda::DeviceMemory::allocate(*device, std::max<size_t>(count, 1))));
    if (bytes) must(stream->upload(memory.back().address(), bytes, count));
    must(stream->synchronize());
    return memory.back().address();
  }
  /// What the routine leaves at `result`, where NaN was: called alone, then as part of a graph.
  void expect(const Routine& routine, const std::vector<CUdeviceptr>& operands, CUdeviceptr result,
              const Values& expected, const std::string& what) {
    for (const bool in_graph : {false, true}) {
      must(stream->fill(result, 0xff, expected.size() * sizeof(half)));
      if (in_graph) {
        cuda::Graph graph = must(cuda::Graph::create(*device));
        must(add_routine(graph, {}, routine, *stream, operands));
        must(must(cuda::GraphExec::instantiate(std::move(graph))).launch(*stream));
      } else {
        must(routine.enqueue(*stream, operands));
      }
      std::vector<half> got(expected.size());
      must(stream->download(got.data(), result, got.size() * sizeof(half)));
      must(stream->synchronize());
      for (size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(to_float(got[i]), expected[i], 2e-3 * (1 + std::abs(expected[i])))
            << what << ", element " << i << (in_graph ? ", in a graph" : "");
    }
  }

  /// What the plan of each way that is proposed, `most` at most, leaves at `result`. `tensors` of the graph are in memory, at `operands`.
  void expect_plans(cudnn::Planner& planner, const cudnn::OperationGraph& graph, size_t most, const std::vector<size_t>& tensors,
                    const std::vector<CUdeviceptr>& operands, CUdeviceptr result, const Values& expected) {
    const auto session = must(cudnn::GraphSession::open(*device, ""));
    size_t made = 0;
    for (const cudnn::Engine& engine : must(planner.proposals(graph))) {
      if (made == most) break;
      const auto plan = planner.plan(graph, engine);
      if (!plan) continue;  // the library may refuse what it proposed
      ++made;
      std::vector<CUdeviceptr> with_workspace = operands;
      if (plan->workspace > 0)
        with_workspace.push_back(upload(nullptr, static_cast<size_t>(plan->workspace)));
      const auto routine = must(session->prepare(cudnn::print(session->version(), *plan, tensors)));
      expect(*routine, with_workspace, result, expected, cudnn::print(engine));
    }
    EXPECT_GT(made, 0u);
  }

  std::optional<cuda::Device> device;
  std::optional<cuda::ContextScope> scope;
  std::optional<cuda::Stream> stream;
  std::vector<cuda::DeviceMemory> memory;
};

}  // namespace burnish::testing
