#include "runtime/cuda/peak.h"

namespace burnish::cuda {

namespace {

/// FLOPs of one multiprocessor in a clock: dense, sums in FP32. FP32 itself has no tensor cores.
struct PerClock {
  int capability;
  int fp16, tf32, fp32;
};
constexpr PerClock per_clock[] = {
    {80, 2048, 1024, 128}, {86, 512, 256, 256},    {89, 1024, 512, 256},
    {90, 4096, 2048, 256}, {100, 8192, 4096, 256}, {120, 1024, 512, 256},
};

double flops_per_clock(const DeviceInfo& info, std::string_view precision) {
  for (const PerClock& row : per_clock)
    if (row.capability == info.major * 10 + info.minor)
      return precision == "fp16" || precision == "bf16" ? row.fp16
             : precision == "tf32"                      ? row.tf32
                                                        : row.fp32;
  return 0;
}

}  // namespace

Peak peak_of(const DeviceInfo& info, std::string_view precision) {
  return {.flops = flops_per_clock(info, precision) * info.multiprocessors * info.clock_khz * 1e3,
          // Two transfers a clock.
          .bytes_per_second = 2e3 * info.memory_clock_khz * info.memory_bus_bits / 8};
}

}  // namespace burnish::cuda
