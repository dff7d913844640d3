#include "providers/cudnn/device_description.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace burnish::cudnn {

namespace {

/// By data sheets, and by compute capability (CUDA C++ Programming Guide, "Technical Specifications per Compute Capability").
struct Gpu {
  std::string_view architecture, name;
  int version;  // compute capability, 900 for 9.0
  int multiprocessors, threads, blocks;
  int shared_kib;  // that a block may ask for
  int64_t memory_gib;
  int l2_mib, clock_mhz, memory_clock_mhz;
};
constexpr Gpu gpus[] = {
    {"sm_80", "NVIDIA A100-SXM4-80GB", 800, 108, 2048, 32, 163, 80, 40, 1410, 1593},
    {"sm_86", "NVIDIA A10", 860, 72, 1536, 16, 99, 24, 6, 1695, 6251},
    {"sm_89", "NVIDIA L40S", 890, 142, 1536, 24, 99, 48, 96, 2520, 9001},
    {"sm_90", "NVIDIA H200", 900, 132, 2048, 32, 227, 141, 60, 1980, 3201},
    {"sm_100", "NVIDIA B200", 1000, 148, 2048, 32, 227, 180, 126, 1965, 3996},
    {"sm_120", "NVIDIA RTX PRO 6000 Blackwell Server Edition", 1200, 188, 1536, 24, 99, 96, 128, 2430, 12481},
};

}  // namespace

Result<std::string> describe_device(std::string_view architecture) {
  const auto* gpu = std::ranges::find(gpus, architecture, &Gpu::architecture);
  if (gpu == std::end(gpus))
    return Error(Code::unsupported, "no GPU of " + std::string(architecture) + " is described to cuDNN");
  return nlohmann::json{{"cudaDeviceId", 0},
                        {"deviceName", gpu->name},
                        {"deviceVer", gpu->version},
                        {"driverVer", 13000},
                        {"isTccDriver", 0},
                        {"l2CacheSize", gpu->l2_mib << 20},
                        {"maxBlockSize", {1024, 1024, 64}},
                        {"maxCtasPerSM", gpu->blocks},
                        {"maxGridSize", {INT32_MAX, 65535, 65535}},
                        {"maxRegistersPerSM", 65536},
                        {"maxSharedMemoryPerBlock", 48 << 10},
                        {"maxSharedMemoryPerBlockOptin", gpu->shared_kib << 10},
                        {"maxThreadsPerBlock", 1024},
                        {"maxThreadsPerSM", gpu->threads},
                        {"memClockRateKHz", gpu->memory_clock_mhz * 1000},
                        {"multiProcessorCount", gpu->multiprocessors},
                        {"pciDeviceId", 0},
                        {"regsPerBlock", 65536},
                        {"reservedSharedMemoryPerBlock", 1 << 10},
                        {"smClockRateKHz", gpu->clock_mhz * 1000},
                        {"supportCoopLaunch", 1},
                        {"totalGlobalMem", gpu->memory_gib << 30},
                        {"warpSize", 32}}
      .dump();
}

}  // namespace burnish::cudnn
