#include "cli/trtexec/device_report.h"

#include <fmt/format.h>

#include <fstream>
#include <thread>

#include "api/burnish_device.h"
#include "cli/failure.h"
#include "cli/trtexec/statistics.h"

namespace burnish::cli::trtexec {

namespace {

struct Gpu {
  burnish_device_info info{};
  burnish_device_details details{};
};

Gpu gpu_numbered(int device) {
  Gpu gpu;
  burnish_error* error = nullptr;
  check(burnish_device_describe(device, &gpu.info, &error), error);
  check(burnish_device_describe_details(device, &gpu.details, &error), error);
  return gpu;
}

int gpu_count() {
  burnish_error* error = nullptr;
  const int count = burnish_device_count(&error);
  burnish_error_free(error);
  return count;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "CPU";
}

void report_gpu(int device, const Log& log) {
  const Gpu gpu = gpu_numbered(device);
  const burnish_device_details& d = gpu.details;
  log.info(fmt::format("Selected Device: {}", gpu.info.name));
  log.info(fmt::format("Selected Device ID: {}", device));
  log.info(fmt::format("Selected Device UUID: {}", d.uuid));
  log.info(fmt::format("Compute Capability: {}.{}", d.major, d.minor));
  log.info(fmt::format("SMs: {}", gpu.info.multiprocessors));
  log.info(fmt::format("Device Global Memory: {} MiB", gpu.info.memory_bytes >> 20));
  log.info(fmt::format("Shared Memory per SM: {} KiB", d.shared_bytes_per_multiprocessor >> 10));
  log.info(
      fmt::format("Memory Bus Width: {} bits (ECC {})", d.memory_bus_bits, d.ecc ? "enabled" : "disabled"));
  log.info(fmt::format("Application Compute Clock Rate: {} GHz", number_text(d.clock_khz / 1e6)));
  log.info(fmt::format("Application Memory Clock Rate: {} GHz", number_text(d.memory_clock_khz / 1e6)));
  log.info("");
  log.info("Note: these are the highest clocks; what the GPU runs at during the measurement may differ.");
}

}  // namespace

void report_device(std::optional<int> device, const std::string& target, const Log& log) {
  log.info("=== Device Information ===");
  log.info("Available Devices: ");
  for (int i = 0; i < gpu_count(); ++i) {
    const Gpu gpu = gpu_numbered(i);
    log.info(fmt::format("  Device {}: \"{}\" UUID: {}", i, gpu.info.name, gpu.details.uuid));
  }
  if (device) return report_gpu(*device, log);
  if (target != "cpu") return log.info(fmt::format("Selected Device: none; the engine is for {}", target));
  log.info(fmt::format("Selected Device: CPU ({})", processor_name()));
  log.info(fmt::format("Threads: {}", std::thread::hardware_concurrency()));
}

}  // namespace burnish::cli::trtexec
