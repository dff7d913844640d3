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

Lines gpu_lines(int device) {
  const Gpu gpu = gpu_numbered(device);
  const burnish_device_details& d = gpu.details;
  return {{"Selected Device", gpu.info.name},
          {"Selected Device ID", std::to_string(device)},
          {"Selected Device UUID", d.uuid},
          {"Compute Capability", fmt::format("{}.{}", d.major, d.minor)},
          {"SMs", std::to_string(gpu.info.multiprocessors)},
          {"Device Global Memory", fmt::format("{} MiB", gpu.info.memory_bytes >> 20)},
          {"Shared Memory per SM", fmt::format("{} KiB", d.shared_bytes_per_multiprocessor >> 10)},
          {"Memory Bus Width",
           fmt::format("{} bits (ECC {})", d.memory_bus_bits, d.ecc ? "enabled" : "disabled")},
          {"Application Compute Clock Rate", number_text(d.clock_khz / 1e6) + " GHz"},
          {"Application Memory Clock Rate", number_text(d.memory_clock_khz / 1e6) + " GHz"}};
}

}  // namespace

Lines device_lines(std::optional<int> device, const std::string& target) {
  if (device) return gpu_lines(*device);
  if (target != "cpu") return {{"Selected Device", "none; the engine is for " + target}};
  return {{"Selected Device", fmt::format("CPU ({})", processor_name())},
          {"Threads", std::to_string(std::thread::hardware_concurrency())}};
}

void report_device(std::optional<int> device, const std::string& target, const Log& log) {
  log.info("=== Device Information ===");
  log.info("Available Devices: ");
  for (int i = 0; i < gpu_count(); ++i) {
    const Gpu gpu = gpu_numbered(i);
    log.info(fmt::format("  Device {}: \"{}\" UUID: {}", i, gpu.info.name, gpu.details.uuid));
  }
  print_lines(device_lines(device, target), log);
  if (!device) return;
  log.info("");
  log.info("Note: these are the highest clocks; what the GPU runs at during the measurement may differ.");
}

}  // namespace burnish::cli::trtexec
