#include "runtime/cuda/memory.h"

namespace burnish::cuda {

Result<DeviceMemory> DeviceMemory::allocate(const Device& device, size_t bytes) {
  DeviceMemory memory;
  if (bytes == 0) return memory;
  const ContextScope scope = TRY(device.enter());
  CUdeviceptr address = 0;
  TRY(device.check(device.driver().memory_allocate(&address, bytes), "cuMemAlloc")
          .during("allocating " + bytes_text(bytes) + " of GPU memory"));
  memory.memory_ = Handle<CUdeviceptr>(device, address, device.driver().memory_free);
  memory.size_ = bytes;
  return memory;
}

Result<DeviceMemory> DeviceMemory::allocate_managed(const Device& device, size_t bytes) {
  DeviceMemory memory;
  if (bytes == 0) return memory;
  const ContextScope scope = TRY(device.enter());
  CUdeviceptr address = 0;
  TRY(device
          .check(device.driver().memory_allocate_managed(&address, bytes, CU_MEM_ATTACH_GLOBAL),
                 "cuMemAllocManaged")
          .during("allocating " + bytes_text(bytes) + " of managed memory"));
  memory.memory_ = Handle<CUdeviceptr>(device, address, device.driver().memory_free);
  memory.size_ = bytes;
  return memory;
}

Result<> DeviceMemory::reserve(const Device& device, size_t bytes) {
  if (bytes <= size_) return {};
  *this = DeviceMemory();  // first, so that both are never held at once
  *this = TRY(allocate(device, bytes));
  return {};
}

Result<PinnedMemory> PinnedMemory::allocate(const Device& device, size_t bytes) {
  PinnedMemory memory;
  if (bytes == 0) return memory;
  const ContextScope scope = TRY(device.enter());
  void* data = nullptr;
  TRY(device.driver()
          .check(device.driver().host_allocate(&data, bytes, CU_MEMHOSTALLOC_PORTABLE), "cuMemHostAlloc")
          .during("allocating " + bytes_text(bytes) + " of pinned host memory"));
  memory.memory_ = Handle<void*>(device, data, device.driver().host_free);
  memory.size_ = bytes;
  return memory;
}

Result<> PinnedMemory::reserve(const Device& device, size_t bytes) {
  if (bytes <= size_) return {};
  *this = PinnedMemory();  // first, so that both are never held at once
  *this = TRY(allocate(device, bytes));
  return {};
}

bool is_pinned(const Device& device, const void* data) {
  unsigned type = 0;
  return device.driver().pointer_attribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE,
                                           reinterpret_cast<CUdeviceptr>(data)) == CUDA_SUCCESS &&
         type == CU_MEMORYTYPE_HOST;
}

}  // namespace burnish::cuda
