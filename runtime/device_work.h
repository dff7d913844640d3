#pragma once

#include <list>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "plan/plan.h"
#include "runtime/cuda/arguments.h"
#include "runtime/cuda/graph.h"
#include "runtime/device_plan.h"
#include "runtime/memory.h"

namespace burnish {

/// True for what can lie in a CUDA graph: launches, calls of libraries, and copies from device to device.
bool is_device_step(const Plan& plan, const Step& step);

/// True for what the host puts on a stream and does not wait for: those, and calls of plugins on the device.
bool is_enqueued(const Plan& plan, const Step& step);

/// Consecutive device steps with every number in place: what the GPU is to do, no more and no less.
class DeviceWork {
 public:
  DeviceWork(const Plan& plan, const DevicePlan& loaded, const Memory& memory)
      : plan_(plan), loaded_(loaded), memory_(memory) {}

  /// How many bytes of the L2 cache intermediate results may keep; 0: none.
  void keep_in_cache(size_t bytes, const cuda::DeviceInfo& gpu) {
    cache_bytes_ = bytes;
    most_window_ = gpu.most_window;
  }

  /// Error invalid_argument when a grid is none: an extent is negative or too large for a launch.
  Result<> resolve(std::span<const Step> steps, std::span<const int64_t> slots);

  Result<> launch(const cuda::Stream& stream);
  /// Nodes that depend on each other where one writes bytes that the other touches.
  Result<cuda::Graph> graph(const cuda::Device& device, std::span<const int64_t> slots);

  /// Equal numbers for the same steps are equal work.
  const std::vector<uint64_t>& numbers() const { return numbers_; }

 private:
  struct Item {
    const Step* step;
    const cuda::Kernel* kernel;  // null: a copy, or
    const Routine* routine;      // a call of a library
    cuda::LaunchShape shape;
    size_t first, count;  // of numbers_: of arguments or operands; of a copy to, from, bytes
  };
  void resolve_window();
  Result<> launch_items(const cuda::Stream& stream);
  Result<> resolve_launch(const Step& step, const KernelLaunch& launch, std::span<const int64_t> slots);
  void resolve_call(const Step& step, const LibraryCall& call, std::span<const int64_t> slots);
  void resolve_copy(const Step& step, const Copy& copy, std::span<const int64_t> slots);
  uint64_t address(const KernelLaunch::Argument& a, std::span<const int64_t> slots) const;
  /// The values of a launch, good until the next call.
  Result<std::span<void* const>> arguments(const cuda::Device& device, const Item& item);
  std::vector<CUdeviceptr> operands(const Item& item) const;
  /// Whether the item may start while what it waits for still runs.
  bool starts_early(const Item& item, std::span<const uint32_t> waits) const;
  Result<cuda::GraphNode> add(cuda::Graph& graph, cuda::Graph::After after, bool early, const Item& item);

  const Plan& plan_;
  const DevicePlan& loaded_;
  const Memory& memory_;
  std::vector<Item> items_;
  std::vector<uint64_t> numbers_;
  cuda::Arguments arguments_;
  size_t cache_bytes_ = 0, most_window_ = 0;
  cuda::CacheWindow window_;
  std::optional<cuda::Stream> recorder_;  // on which calls of libraries are captured
};

/// The graphs made for the runs so far, few for each piece of work.
class GraphCache {
 public:
  static constexpr size_t kept_per_piece = 8;

  /// The graph for this work, made if it is new; the one unused longest goes.
  Result<const cuda::GraphExec*> find(const Step* first, DeviceWork& work, const cuda::Device& device,
                                      std::span<const int64_t> slots);
  size_t built() const { return built_; }

 private:
  struct Entry {
    std::vector<uint64_t> numbers;
    cuda::GraphExec exec;
  };
  std::map<const Step*, std::list<Entry>> by_piece_;  // latest first
  size_t built_ = 0;
};

}  // namespace burnish
