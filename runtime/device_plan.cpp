#include "runtime/device_plan.h"

#include <algorithm>
#include <map>
#include <optional>

#include "runtime/cuda/stream.h"

namespace burnish {

namespace {

constexpr size_t alignment = 256;
constexpr uint32_t shared_without_asking = 48 * 1024;

/// Constants that device buffers name, in the order of the file.
std::vector<uint32_t> device_constants(const Plan& plan) {
  std::vector<uint32_t> list;
  for (const Buffer& b : plan.buffers)
    if (b.kind == Buffer::Kind::constant && b.space == Space::device) list.push_back(b.index);
  auto key = [&](uint32_t i) { return std::pair(plan.constants[i].offset, i); };
  std::sort(list.begin(), list.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

}  // namespace

Result<> DevicePlan::load_constants(const EngineFile& file, const Plan& plan, const cuda::Device& device) {
  // Neighbours in the file stay neighbours, so that a run of them is one copy.
  struct Run {
    uint64_t from, bytes;
    size_t to;
  };
  std::vector<Run> runs;
  size_t total = 0;
  offsets_.assign(plan.constants.size(), 0);
  for (uint32_t i : device_constants(plan)) {
    const ConstantData& c = plan.constants[i];
    if (runs.empty() || c.offset > runs.back().from + runs.back().bytes + alignment) {
      total = (total + alignment - 1) / alignment * alignment;
      runs.push_back({c.offset, 0, total});
    }
    Run& run = runs.back();
    offsets_[i] = run.to + (c.offset - run.from);
    run.bytes = std::max(run.bytes, c.offset + c.bytes - run.from);
    total = run.to + run.bytes;
  }
  constants_ =
      TRY(cuda::DeviceMemory::allocate(device, total).during("making room for the constants of the engine"));
  const cuda::Stream stream = TRY(cuda::Stream::create(device));
  for (const Run& run : runs)
    TRY(stream.upload(constants_.address() + run.to, file.constants.data() + run.from, run.bytes));
  return stream.synchronize();
}

static uint32_t shared_bytes_of(const KernelLaunch& launch, const cuda::DeviceInfo& device,
                                const cuda::Kernel& kernel, uint64_t blocks) {
  if (!launch.starts_early) return launch.shared_bytes;
  return cuda::early_shared_bytes(device, kernel, launch.shared_bytes, blocks);
}

uint32_t DevicePlan::shared_bytes(const KernelLaunch& launch, uint64_t blocks) const {
  return shared_bytes_of(launch, device_, kernel(launch), blocks);
}

Result<> DevicePlan::load_kernels(const EngineFile& file, const Plan& plan, const cuda::Device& device) {
  device_ = device.info();
  std::map<uint32_t, std::string> users;  // a module's name in errors: the first step that needs it
  for_each_step(plan.steps, [&](const Step& step) {
    if (const auto* launch = std::get_if<KernelLaunch>(&step.what))
      users.try_emplace(launch->module, step.name);
  });
  for (uint32_t i = 0; i < plan.modules.size(); ++i) {
    modules_.push_back(TRY(cuda::Module::load(device, file.module(plan.modules[i]).data(), users[i])));
    code_bytes_ += plan.modules[i].bytes;
  }

  std::map<std::pair<uint32_t, std::string>, std::pair<cuda::Kernel, uint32_t>>
      loaded;  // with the shared memory it asks for
  std::optional<Error> error;
  for_each_step(plan.steps, [&](const Step& step) {
    const auto* launch = std::get_if<KernelLaunch>(&step.what);
    if (launch == nullptr || error) return;
    auto [it, fresh] = loaded.try_emplace({launch->module, launch->function});
    auto& [kernel, shared] = it->second;
    if (fresh) {
      auto found = modules_[launch->module].kernel(launch->function);
      if (!found) error = std::move(found).error();
      else kernel = *std::move(found);
    }
    shared = std::max(shared, shared_bytes_of(*launch, device_, kernel, 1));
    kernels_.emplace(launch, kernel);
  });
  if (error) return *std::move(error);
  for (const auto& [key, entry] : loaded)
    if (entry.second > shared_without_asking) TRY(entry.first.allow_shared(device, entry.second));
  return {};
}

Result<> DevicePlan::load_routines(const Plan& plan, const cuda::Device& device) {
  const auto prepare = [&](const LibraryCall& call) -> Result<> {
    auto& session = sessions_[call.library];
    if (!session) session = TRY(Session::open(call.library, device));
    routines_[&call] = TRY(session->prepare(call.text));
    return {};
  };
  Result<> all;
  for_each_step(plan.steps, [&](const Step& step) {
    if (const auto* call = std::get_if<LibraryCall>(&step.what); call && all)
      all = prepare(*call).during("preparing step '" + step.name + "'");
  });
  return all;
}

Result<std::shared_ptr<const DevicePlan>> DevicePlan::load(const EngineFile& file, const Plan& plan,
                                                           const cuda::Device& device) {
  const cuda::ContextScope scope = TRY(device.enter());
  auto loaded = std::make_shared<DevicePlan>();
  TRY(loaded->load_constants(file, plan, device));
  TRY(loaded->load_kernels(file, plan, device));
  TRY(loaded->load_routines(plan, device));
  return std::shared_ptr<const DevicePlan>(std::move(loaded));
}

}  // namespace burnish
