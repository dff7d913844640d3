#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "plan/engine_file.h"
#include "runtime/cuda/kernel.h"
#include "runtime/cuda/memory.h"

namespace burnish {

/// What a plan keeps on a device: constants in one allocation, kernels loaded. Shared by all contexts of an engine there.
class DevicePlan {
 public:
  static Result<std::shared_ptr<const DevicePlan>> load(const EngineFile& file, const Plan& plan,
                                                        const cuda::Device& device);

  /// The address of Plan::constants[i]; only for those that a device buffer names.
  CUdeviceptr constant(uint32_t i) const { return constants_.address() + offsets_[i]; }
  const cuda::Kernel& kernel(const KernelLaunch& launch) const { return kernels_.at(&launch); }
  size_t constant_bytes() const { return constants_.size(); }
  size_t code_bytes() const { return code_bytes_; }

 private:
  Result<> load_constants(const EngineFile& file, const Plan& plan, const cuda::Device& device);
  Result<> load_kernels(const EngineFile& file, const Plan& plan, const cuda::Device& device);

  cuda::DeviceMemory constants_;
  std::vector<size_t> offsets_;
  std::vector<cuda::Module> modules_;
  size_t code_bytes_ = 0;
  std::unordered_map<const KernelLaunch*, cuda::Kernel> kernels_;
};

}  // namespace burnish
