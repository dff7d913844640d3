#include "runtime/engine.h"

#include <cstdlib>
#include <cstring>

namespace burnish {

namespace {

/// 90 of "sm_90"; -1 for what is no GPU.
int architecture(const std::string& target) {
  return target.starts_with("sm_") ? std::atoi(target.c_str() + 3) : -1;
}

}  // namespace

Engine::Engine(EngineFile file) : file_(std::move(file)) {
  for (const Plan& plan : file_.plans) targets_ += (targets_.empty() ? "" : " ") + plan.target;
}

Result<std::shared_ptr<const Engine>> Engine::open(const std::string& path) {
  return std::shared_ptr<const Engine>(new Engine(TRY(open_engine(path))));
}

Result<std::shared_ptr<const Engine>> Engine::from_bytes(std::span<const std::byte> bytes) {
  constexpr size_t page = 4096;
  auto* copy = static_cast<std::byte*>(std::aligned_alloc(page, (bytes.size() / page + 1) * page));
  if (copy == nullptr)
    return Error(Code::out_of_memory,
                 "out of host memory: the engine has " + std::to_string(bytes.size()) + " bytes")
        .remedy("open it as a file, which is mapped");
  const std::shared_ptr<const std::byte> held(
      copy, [](const std::byte* p) { std::free(const_cast<std::byte*>(p)); });
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  return std::shared_ptr<const Engine>(new Engine(TRY(read_engine(held, bytes.size()))));
}

Result<const Plan*> Engine::host_plan() const {
  for (const Plan& plan : file_.plans)
    if (plan.target == "cpu") return &plan;
  return Error(Code::incompatible_engine, "the engine has no plan for the host, only for " + targets_)
      .remedy("build it with target cpu too, or choose a GPU");
}

Result<const Plan*> Engine::device_plan(const cuda::DeviceInfo& gpu) const {
  const Plan* best = nullptr;
  for (const Plan& plan : file_.plans) {
    const int built_for = architecture(plan.target);
    if (built_for / 10 != gpu.major || built_for % 10 > gpu.minor) continue;
    if (best == nullptr || built_for > architecture(best->target)) best = &plan;
  }
  if (best) return best;
  return Error(Code::incompatible_engine, "the engine has plans for " + targets_ + ", and GPU " +
                                              std::to_string(gpu.ordinal) + " (" + gpu.name + ") is " +
                                              gpu.architecture())
      .remedy("build it with target " + gpu.architecture() + " too");
}

Result<std::shared_ptr<const HostCalls>> Engine::host_calls(const Plan& plan,
                                                            const HostProviderTable* provider) const {
  if (provider == nullptr) provider = TRY(open_host_provider());
  const std::lock_guard lock(mutex_);
  auto& calls = host_calls_[{&plan, provider}];
  if (!calls) calls = TRY(HostCalls::prepare(plan, provider));
  return calls;
}

Result<std::shared_ptr<const DevicePlan>> Engine::on_device(const Plan& plan,
                                                            const cuda::Device& device) const {
  const std::lock_guard lock(mutex_);
  auto& loaded = device_plans_[{&plan, device.context()}];
  if (!loaded) loaded = TRY(DevicePlan::load(file_, plan, device));
  return loaded;
}

}  // namespace burnish
