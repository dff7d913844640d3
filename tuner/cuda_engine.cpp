#include "tuner/cuda_engine.h"

#include <algorithm>

#include "runtime/context.h"
#include "runtime/cuda/memory.h"
#include "runtime/device_work.h"
#include "tuner/quantile.h"
#include "tuner/random_block.h"

namespace burnish {

namespace {

constexpr double sample_ms = 3;  // what one sample takes, at least
constexpr int most_runs = 16;    // of a sample
constexpr int warming_runs = 3;

/// Inputs in the memory of the device, as a caller binds them who measures the engine alone.
class CudaEngine final : public EngineRun {
 public:
  CudaEngine(std::unique_ptr<Context> context, std::vector<cuda::DeviceMemory> inputs)
      : inputs_(std::move(inputs)), context_(std::move(context)) {}

  Result<> warm_up() {
    const double ms = TRY(median_ms(warming_runs));
    runs_ = static_cast<int>(std::clamp(sample_ms / std::max(ms, 1e-6), 1.0, double{most_runs}));
    return {};
  }
  Result<double> time() override { return TRY(median_ms(runs_)) * 1000; }

 private:
  Result<double> median_ms(int runs) {
    std::vector<double> times;
    for (const RunTime& t : TRY(context_->time(runs))) times.push_back(double{t.gpu_ms});
    return quantile(std::move(times), 0.5);
  }
  std::vector<cuda::DeviceMemory> inputs_;
  std::unique_ptr<Context> context_;
  int runs_ = 1;
};

Result<cuda::DeviceMemory> random_input(const cuda::Device& device, DType dtype, size_t bytes) {
  auto memory = TRY(cuda::DeviceMemory::allocate(device, bytes));
  const cuda::Stream stream = TRY(cuda::Stream::create(device));
  const std::vector<std::byte> values = random_block(dtype);
  for (size_t at = 0; at < bytes; at += values.size())
    TRY(stream.upload(memory.address() + at, values.data(), std::min(values.size(), bytes - at)));
  TRY(stream.synchronize());
  return memory;
}

}  // namespace

Result<std::unique_ptr<EngineRun>> load_cuda_engine(const cuda::Device& device, const EngineContents& engine,
                                                    std::span<const Shape> inputs) {
  const cuda::ContextScope scope = TRY(device.enter());
  const auto shared = TRY(Engine::from_bytes(TRY(engine_bytes(engine))));
  const Plan& plan = *TRY(shared->device_plan(device.info()));
  if (!std::ranges::all_of(plan.steps, [&](const Step& step) { return is_device_step(plan, step); }))
    return Error(Code::unsupported, "some of the engine's steps run on the host");
  auto context = TRY(Context::create(shared, {.device = device.info().ordinal}));
  std::vector<cuda::DeviceMemory> memory;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Port& port = plan.inputs[i];
    const size_t bytes = static_cast<size_t>(element_count(inputs[i])) * size_of(port.dtype);
    memory.push_back(TRY(random_input(device, port.dtype, bytes)));
    TRY(context->set_input(port.name, {.dtype = port.dtype,
                                       .shape = inputs[i],
                                       .data = reinterpret_cast<void*>(memory.back().address()),
                                       .bytes = bytes,
                                       .space = Space::device}));
  }
  auto run = std::make_unique<CudaEngine>(std::move(context), std::move(memory));
  TRY(run->warm_up());
  return std::unique_ptr<EngineRun>(std::move(run));
}

}  // namespace burnish
