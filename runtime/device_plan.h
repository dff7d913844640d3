#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "plan/engine_file.h"
#include "runtime/cuda/kernel.h"
#include "runtime/cuda/memory.h"
#include "runtime/libraries/session.h"

namespace burnish {

/// What a plan keeps on a device: constants in one allocation, kernels loaded, libraries opened. Shared by all contexts of an
/// engine there.
class DevicePlan {
 public:
  static Result<std::shared_ptr<const DevicePlan>> load(const EngineFile& file, const Plan& plan,
                                                        const cuda::Device& device);

  /// The address of Plan::constants[i]; only for those that a device buffer names.
  CUdeviceptr constant(uint32_t i) const { return constants_.address() + offsets_[i]; }
  const cuda::Kernel& kernel(const KernelLaunch& launch) const { return kernels_.at(&launch); }
  /// Dynamic shared memory for a launch of so many blocks.
  uint32_t shared_bytes(const KernelLaunch& launch, uint64_t blocks) const;
  const Routine& routine(const LibraryCall& call) const { return *routines_.at(&call); }
  size_t constant_bytes() const { return constants_.size(); }
  size_t code_bytes() const { return code_bytes_; }

 private:
  Result<> load_constants(const EngineFile& file, const Plan& plan, const cuda::Device& device);
  Result<> load_kernels(const EngineFile& file, const Plan& plan, const cuda::Device& device);
  Result<> load_routines(const Plan& plan, const cuda::Device& device);

  cuda::DeviceMemory constants_;
  std::vector<size_t> offsets_;
  std::vector<cuda::Module> modules_;
  size_t code_bytes_ = 0;
  std::unordered_map<const KernelLaunch*, cuda::Kernel> kernels_;
  cuda::DeviceInfo device_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;  // by library
  std::unordered_map<const LibraryCall*, std::unique_ptr<Routine>> routines_;
};

}  // namespace burnish
