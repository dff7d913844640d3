#pragma once

#include <memory>
#include <span>

#include "runtime/cuda/device.h"
#include "tuner/timing_device.h"

namespace burnish {

/// An engine in the memory of `device`, run as a user would run it. Errors as for TimingDevice::load.
Result<std::unique_ptr<EngineRun>> load_cuda_engine(const cuda::Device& device, const EngineContents& engine,
                                                    std::span<const Shape> inputs);

}  // namespace burnish
