#pragma once

#include <memory>
#include <string_view>

#include "tuner/timing_device.h"

namespace burnish {

/// GPU 0, or that of the CUDA context that is current, for timing kernels of `target` ("sm_90"). Error device_error when there
/// is none, unsupported when it does not run that target's code. Libraries are sought as by Session::open.
Result<std::unique_ptr<TimingDevice>> open_cuda_timing(std::string_view target,
                                                       const std::string& library_directory = {});

}  // namespace burnish
