#pragma once

#include <optional>
#include <span>
#include <vector>

#include "runtime/cuda/memory.h"
#include "runtime/device_plan.h"
#include "runtime/host_block.h"
#include "runtime/tensor_ref.h"

namespace burnish {

/// The buffers of a plan in the memory of one context: where each is, stage by stage. Memory only grows, so a run whose
/// extents are no larger than an earlier one's allocates nothing.
class Memory {
 public:
  /// `device` and `loaded` are null for a plan of the host.
  Memory(const EngineFile& file, const Plan& plan, const cuda::Device* device, const DevicePlan* loaded);

  /// An input or output that was bound to memory of the caller's; none: the context's own.
  struct Port {
    std::optional<TensorRef> bound;
    bool staged = false;  // bound, but copied from or to memory of the context
    HostBlock host;       // the context's own, one of the two by the space of the plan's buffer
    cuda::DeviceMemory device;
    cuda::PinnedMemory pinned;  // where host memory of the caller's rests on its way to `device`
  };
  std::vector<Port> inputs, outputs;

  /// Gives every input its place. Their extents are checked and stage 0 is evaluated.
  Result<> place_inputs(std::span<const int64_t> slots);
  /// Gives the arenas and outputs of a stage their places. The stage is evaluated.
  Result<> place_stage(uint32_t stage, std::span<const int64_t> slots);

  /// The address of a buffer, in its space. Constants always; others once placed.
  uintptr_t address(uint32_t buffer) const { return addresses_[buffer]; }

  /// Where intermediate results lie on the device, those of the first stage.
  struct Range {
    uintptr_t address = 0;
    size_t bytes = 0;
  };
  Range device_arena() const;

  size_t host_arena_bytes() const;
  size_t device_arena_bytes() const;
  size_t binding_bytes() const;

 private:
  Result<> place_output(uint32_t buffer, size_t bytes);
  Result<uintptr_t> own(Port& port, Space space, size_t bytes);
  bool used_in_place(const TensorRef& tensor, Space space) const;

  const Plan& plan_;
  std::optional<cuda::Device> device_;
  std::vector<uintptr_t> addresses_;
  std::vector<HostBlock> host_arenas_;
  std::vector<cuda::DeviceMemory> device_arenas_;
  std::vector<std::vector<uint32_t>> temporaries_, outputs_by_stage_;  // buffers, by stage
};

}  // namespace burnish
