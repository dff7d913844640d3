#include "runtime/memory.h"

#include <algorithm>

namespace burnish {

namespace {

constexpr uintptr_t kernel_alignment = 16;  // what kernels may take an input or output to have

/// The stage at which a slot is known.
uint32_t stage_of(const Plan& plan, Slot slot) {
  const auto& ends = plan.shapes.stage_ends;
  return static_cast<uint32_t>(std::upper_bound(ends.begin(), ends.end(), slot) - ends.begin());
}

Error impossible_size(const std::string& what, int64_t bytes) {
  return Error(Code::invalid_argument, what + " would have " + std::to_string(bytes) + " bytes")
      .remedy("give inputs that the model can work on; an extent that it computes is negative or too large");
}

/// Bytes as a size; negative or absurd ones come from extents that no run of the model can have.
Result<size_t> size_from(const std::string& what, int64_t bytes) {
  if (bytes < 0 || bytes > int64_t{1} << 48) return impossible_size(what, bytes);
  return static_cast<size_t>(bytes);
}

}  // namespace

Memory::Memory(const EngineFile& file, const Plan& plan, const cuda::Device* device, const DevicePlan* loaded)
    : inputs(plan.inputs.size()),
      outputs(plan.outputs.size()),
      plan_(plan),
      addresses_(plan.buffers.size()),
      host_arenas_(plan.host_arena.size()),
      device_arenas_(plan.device_arena.size()),
      temporaries_(plan.shapes.stage_ends.size()),
      outputs_by_stage_(plan.shapes.stage_ends.size()) {
  if (device) device_ = *device;
  for (uint32_t i = 0; i < plan.buffers.size(); ++i) {
    const Buffer& b = plan.buffers[i];
    switch (b.kind) {
      case Buffer::Kind::constant:
        if (b.space == Space::host)
          addresses_[i] = reinterpret_cast<uintptr_t>(file.constant(plan.constants[b.index]).data());
        else addresses_[i] = loaded->constant(b.index);
        break;
      case Buffer::Kind::temporary: temporaries_[b.stage].push_back(i); break;
      case Buffer::Kind::output: outputs_by_stage_[stage_of(plan, b.bytes)].push_back(i); break;
      case Buffer::Kind::input: break;
    }
  }
}

bool Memory::used_in_place(const TensorRef& tensor, Space space) const {
  const auto address = reinterpret_cast<uintptr_t>(tensor.data);
  return tensor.space == space && address != 0 && (space == Space::host || address % kernel_alignment == 0);
}

Result<uintptr_t> Memory::own(Port& port, Space space, size_t bytes) {
  if (space == Space::host) {
    TRY(port.host.reserve(bytes));
    return reinterpret_cast<uintptr_t>(port.host.data());
  }
  TRY(port.device.reserve(*device_, bytes));
  return static_cast<uintptr_t>(port.device.address());
}

Result<> Memory::place_inputs(std::span<const int64_t> slots) {
  for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
    const Buffer& b = plan_.buffers[i];
    if (b.kind != Buffer::Kind::input) continue;
    const std::string what = "input '" + plan_.inputs[b.index].name + "'";
    Port& port = inputs[b.index];
    const size_t bytes = TRY(size_from(what, slots[b.bytes]));
    port.staged = !used_in_place(*port.bound, b.space);
    addresses_[i] = port.staged ? TRY(own(port, b.space, bytes).during("making room for " + what))
                                : reinterpret_cast<uintptr_t>(port.bound->data);
  }
  return {};
}

Result<> Memory::place_output(uint32_t buffer, size_t bytes) {
  const Buffer& b = plan_.buffers[buffer];
  const std::string& name = plan_.outputs[b.index].name;
  Port& port = outputs[b.index];
  if (port.bound && port.bound->bytes < bytes)
    return Error(Code::invalid_argument, "output '" + name + "' needs " + std::to_string(bytes) +
                                             " bytes, and there are " + std::to_string(port.bound->bytes) +
                                             " where it is to be written")
        .remedy("give more memory for it, or none to have it in memory of the context");
  const bool in_place = port.bound && used_in_place(*port.bound, b.space);
  port.staged = port.bound && !in_place;
  addresses_[buffer] = in_place
                           ? reinterpret_cast<uintptr_t>(port.bound->data)
                           : TRY(own(port, b.space, bytes).during("making room for output '" + name + "'"));
  return {};
}

Result<> Memory::place_stage(uint32_t stage, std::span<const int64_t> slots) {
  if (stage < host_arenas_.size())
    TRY(host_arenas_[stage].reserve(
        TRY(size_from("the host memory of the run", slots[plan_.host_arena[stage]]))));
  if (stage < device_arenas_.size())
    TRY(device_arenas_[stage]
            .reserve(*device_, TRY(size_from("the GPU memory of the run", slots[plan_.device_arena[stage]])))
            .during("making room for intermediate results"));
  for (uint32_t i : temporaries_[stage]) {
    const Buffer& b = plan_.buffers[i];
    const uintptr_t base = b.space == Space::host ? reinterpret_cast<uintptr_t>(host_arenas_[stage].data())
                                                  : static_cast<uintptr_t>(device_arenas_[stage].address());
    addresses_[i] = base + static_cast<uintptr_t>(slots[b.offset]);
  }
  for (uint32_t i : outputs_by_stage_[stage]) {
    const Buffer& b = plan_.buffers[i];
    TRY(place_output(i, TRY(size_from("output '" + plan_.outputs[b.index].name + "'", slots[b.bytes]))));
  }
  return {};
}

template <class List>
static size_t total(const List& blocks) {
  size_t bytes = 0;
  for (const auto& block : blocks) bytes += block.size();
  return bytes;
}

Memory::Range Memory::device_arena() const {
  if (device_arenas_.empty()) return {};
  return {static_cast<uintptr_t>(device_arenas_[0].address()), device_arenas_[0].size()};
}

size_t Memory::host_arena_bytes() const { return total(host_arenas_); }
size_t Memory::device_arena_bytes() const { return total(device_arenas_); }
size_t Memory::binding_bytes() const {
  size_t bytes = 0;
  for (const auto* ports : {&inputs, &outputs})
    for (const Port& port : *ports) bytes += port.host.size() + port.device.size() + port.pinned.size();
  return bytes;
}

}  // namespace burnish
