// The real libraries on a GPU, against sums in double precision on the host. Skipped where either is missing.
#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <random>
#include <thread>

#include "base/half.h"
#include "runtime/cuda/memory.h"
#include "runtime/libraries/cublaslt.h"
#include "runtime/libraries/cudnn.h"
#include "runtime/libraries/cudnn_planner.h"

namespace burnish {
namespace {

using Values = std::vector<double>;

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
  void expect_plans(cudnn::Planner& planner, const cudnn::OperationGraph& graph, size_t most,
                    const std::vector<size_t>& tensors, const std::vector<CUdeviceptr>& operands,
                    CUdeviceptr result, const Values& expected) {
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

TEST_F(RealLibraries, EveryProductThatCublasLtProposes) {
  auto session = cublaslt::MatmulSession::open(*device, "");
  if (!session) GTEST_SKIP() << session.error().cause();
  cublaslt::Product p;
  p.m = 64, p.n = 40, p.k = 96;
  p.lda = 64, p.ldb = 96, p.ldd = 64;
  p.bias = true;
  p.beta = 1;
  p.activation = cublaslt::Product::Activation::relu;
  const Values w = random(96 * 64, 1), x = random(40 * 96, 2), bias = random(64, 3),
               residual = random(40 * 64, 4);
  Values y(40 * 64);
  for (size_t row = 0; row < 40; ++row)
    for (size_t column = 0; column < 64; ++column) {
      double sum = bias[column] + residual[row * 64 + column];
      for (size_t k = 0; k < 96; ++k) sum += x[row * 96 + k] * w[k * 64 + column];
      y[row * 64 + column] = std::max(sum, 0.0);
    }
  const CUdeviceptr result = upload(nullptr, y.size() * sizeof(half));
  const std::vector<CUdeviceptr> operands = {upload(w), upload(x), upload(residual), result, upload(bias)};
  const auto all = must((*session)->candidates(p, 8, 32 << 20));
  ASSERT_FALSE(all.empty());
  for (const cublaslt::Product& one : all) {
    std::vector<CUdeviceptr> with_workspace = operands;
    if (one.workspace > 0) with_workspace.push_back(upload(nullptr, static_cast<size_t>(one.workspace)));
    const auto routine = must((*session)->prepare(print(one)));
    expect(*routine, with_workspace, result, y, print_algorithm(one));
  }
}

/// A convolution of 3x3 taps with bias, residual and ReLU; its tensors in memory are 0, 1, 3, 5 and 7.
cudnn::OperationGraph residual_convolution(int64_t n, int64_t c, int64_t h, int64_t w, int64_t k) {
  cudnn::OperationGraph graph;
  const auto tensor = [&](std::vector<int64_t> e, bool between) {
    const std::vector<int64_t> strides = {e[1] * e[2] * e[3], 1, e[1] * e[3], e[1]};
    graph.tensors.push_back({between ? DType::f32 : DType::f16, std::move(e), strides, between});
    return graph.tensors.size() - 1;
  };
  const size_t image = tensor({n, c, h, w}, false), filter = tensor({k, c, 3, 3}, false),
               sum = tensor({n, k, h, w}, true), vector = tensor({1, k, 1, 1}, false),
               biased = tensor({n, k, h, w}, true), other = tensor({n, k, h, w}, false),
               both = tensor({n, k, h, w}, true), result = tensor({n, k, h, w}, false);
  using G = cudnn::OperationGraph;
  graph.operations = {G::Convolution{image, filter, sum, {1, 1}, {1, 1}, {1, 1}, {1, 1}},
                      G::Pointwise{cudnn::pointwise_add, sum, vector, biased},
                      G::Pointwise{cudnn::pointwise_add, biased, other, both},
                      G::Pointwise{cudnn::pointwise_relu, both, {}, result}};
  return graph;
}

/// Plans for other extents on threads of their own.
std::vector<std::jthread> plan_others(cudnn::Planner& planner) {
  std::vector<std::jthread> others;
  for (int64_t n = 3; n < 9; ++n)
    others.emplace_back([&planner, n] {
      const cudnn::OperationGraph graph = residual_convolution(n, 16, 9, 7, 24);
      if (const auto proposals = planner.proposals(graph); proposals && !proposals->empty())
        (void)planner.plan(graph, proposals->front());
    });
  return others;
}

TEST_F(RealLibraries, EveryConvolutionThatCudnnProposes) {
  auto planner = cudnn::Planner::open(*device, "");
  if (!planner) GTEST_SKIP() << planner.error().cause();
  constexpr int64_t n = 2, c = 16, h = 9, w = 7, k = 24;
  const Values x = random(n * h * w * c, 1), weights = random(k * 9 * c, 2), bias = random(k, 3),
               residual = random(n * h * w * k, 4);
  Values y(n * h * w * k);
  for (int64_t image = 0; image < n; ++image)
    for (int64_t row = 0; row < h; ++row)
      for (int64_t column = 0; column < w; ++column)
        for (int64_t o = 0; o < k; ++o) {
          const int64_t at = ((image * h + row) * w + column) * k + o;
          double sum = bias[o] + residual[at];
          for (int64_t tap = 0; tap < 9; ++tap) {
            const int64_t from_row = row + tap / 3 - 1, from_column = column + tap % 3 - 1;
            if (from_row < 0 || from_row >= h || from_column < 0 || from_column >= w) continue;
            for (int64_t i = 0; i < c; ++i)
              sum += x[((image * h + from_row) * w + from_column) * c + i] * weights[(o * 9 + tap) * c + i];
          }
          y[at] = std::max(sum, 0.0);
        }
  const cudnn::OperationGraph graph = residual_convolution(n, c, h, w, k);
  const CUdeviceptr to = upload(nullptr, y.size() * sizeof(half));
  const std::vector<CUdeviceptr> operands = {upload(x), upload(weights), upload(bias), upload(residual), to};
  const std::vector<std::jthread> others = plan_others(**planner);
  expect_plans(**planner, graph, 6, {0, 1, 3, 5, 7}, operands, to, y);
}

}  // namespace
}  // namespace burnish
