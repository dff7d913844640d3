#pragma once

#include <cstddef>

#include "runtime/cuda/handle.h"

namespace burnish::cuda {

/// A piece of GPU memory, 256-byte aligned. Its bytes are undefined until written.
class DeviceMemory {
 public:
  DeviceMemory() = default;

  /// Zero bytes allocate nothing: the address is 0. Error out_of_memory, naming wanted and free bytes.
  static Result<DeviceMemory> allocate(const Device& device, size_t bytes);

  /// Memory that moves to the GPU and to the host as either touches it; the host reaches it under the same address.
  static Result<DeviceMemory> allocate_managed(const Device& device, size_t bytes);

  /// Grows to at least `bytes`, never shrinks. When it grows, address and content change, and work that still
  /// uses the old memory is waited for. An error leaves nothing allocated.
  Result<> reserve(const Device& device, size_t bytes);

  CUdeviceptr address() const { return memory_.get(); }
  size_t size() const { return size_; }

 private:
  Handle<CUdeviceptr> memory_;
  size_t size_ = 0;
};

/// Host memory that the GPU reads and writes directly, from any context.
class PinnedMemory {
 public:
  PinnedMemory() = default;

  /// Zero bytes allocate nothing: `data()` is null. Error out_of_memory.
  static Result<PinnedMemory> allocate(const Device& device, size_t bytes);

  /// Grows to at least `bytes`, never shrinks. When it grows, address and content change. An error leaves nothing allocated.
  Result<> reserve(const Device& device, size_t bytes);

  std::byte* data() const { return static_cast<std::byte*>(memory_.get()); }
  size_t size() const { return size_; }

 private:
  Handle<void*> memory_;
  size_t size_ = 0;
};

/// Whether host memory is pinned, by whomever; the driver refuses to say of other memory.
bool is_pinned(const Device& device, const void* data);

}  // namespace burnish::cuda
