#pragma once

#include <string_view>

#include "runtime/cuda/device.h"

namespace burnish::cuda {

/// What a GPU could do at most, every unit busy at its highest clock; 0 where it is not known.
struct Peak {
  double flops = 0;             // of matrix products, per second
  double bytes_per_second = 0;  // to and from memory
};

/// `precision` is a plan's: "fp32", "tf32", "fp16", "bf16".
Peak peak_of(const DeviceInfo& info, std::string_view precision);

}  // namespace burnish::cuda
