#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "plan/engine_file.h"
#include "runtime/device_plan.h"
#include "runtime/host_provider.h"

namespace burnish {

/// An engine file in memory with what all its contexts share. Never changes for those who look at it; for any thread.
class Engine {
 public:
  static Result<std::shared_ptr<const Engine>> open(const std::string& path);
  /// The bytes are copied.
  static Result<std::shared_ptr<const Engine>> from_bytes(std::span<const std::byte> bytes);

  const EngineFile& file() const { return file_; }
  /// "sm_90 cpu".
  const std::string& targets() const { return targets_; }

  /// The plan for the host. Error incompatible_engine if there is none.
  Result<const Plan*> host_plan() const;
  /// The plan that suits this GPU best: of its own architecture, else an older one of the same generation.
  /// Error incompatible_engine if there is none.
  Result<const Plan*> device_plan(const cuda::DeviceInfo& gpu) const;

  /// The plan's host steps, parsed when first asked for. `provider` null: libburnish_host.so.
  Result<std::shared_ptr<const HostCalls>> host_calls(const Plan& plan,
                                                      const HostProviderTable* provider) const;
  /// The plan's constants and kernels on this device, loaded when first asked for.
  Result<std::shared_ptr<const DevicePlan>> on_device(const Plan& plan, const cuda::Device& device) const;

 private:
  explicit Engine(EngineFile file);
  EngineFile file_;
  std::string targets_;
  // Loaded on demand; a cache that no caller can tell from having it loaded already.
  mutable std::mutex mutex_;
  mutable std::map<std::pair<const Plan*, const HostProviderTable*>, std::shared_ptr<const HostCalls>>
      host_calls_;
  mutable std::map<std::pair<const Plan*, CUcontext>, std::shared_ptr<const DevicePlan>> device_plans_;
};

}  // namespace burnish
