#include "runtime/cuda/sensors.h"

#include <dlfcn.h>

#include <array>

namespace burnish::cuda {

namespace {

// The few functions of NVML that are called, as its documentation declares them; 0 is success.
using Handle = void*;
struct ManagementLibrary {
  int (*init)() = nullptr;
  int (*handle)(const char* pci_bus_id, Handle*) = nullptr;
  int (*clock)(Handle, int type, unsigned* mhz) = nullptr;
  int (*power)(Handle, unsigned* milliwatts) = nullptr;
};
constexpr int sm_clock = 1;

Error unreadable(const std::string& why) {
  return Error(Code::unsupported, "clock and power of the GPU cannot be read: " + why)
      .remedy("install the driver's management library, libnvidia-ml.so.1, or go without them");
}

template <class Function>
bool find(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, symbol));
  return function != nullptr;
}

Result<ManagementLibrary> load() {
  void* library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) return unreadable("there is no libnvidia-ml.so.1");
  ManagementLibrary nvml;
  if (!find(library, "nvmlInit_v2", nvml.init) ||
      !find(library, "nvmlDeviceGetHandleByPciBusId_v2", nvml.handle) ||
      !find(library, "nvmlDeviceGetClockInfo", nvml.clock) ||
      !find(library, "nvmlDeviceGetPowerUsage", nvml.power))
    return unreadable("libnvidia-ml.so.1 lacks a function");
  if (nvml.init() != 0) return unreadable("libnvidia-ml.so.1 does not begin");
  return nvml;
}

}  // namespace

Result<Sensors> read_sensors(const Device& device) {
  static const Result<ManagementLibrary> library = load();
  if (!library) return library.error();
  std::array<char, 32> bus{};
  TRY(device.check(device.driver().device_pci_bus(bus.data(), bus.size(), device.info().ordinal),
                   "cuDeviceGetPCIBusId"));
  Handle handle = nullptr;
  unsigned mhz = 0, milliwatts = 0;
  if (library->handle(bus.data(), &handle) != 0 || library->clock(handle, sm_clock, &mhz) != 0 ||
      library->power(handle, &milliwatts) != 0)
    return unreadable("libnvidia-ml.so.1 does not tell them for this GPU");
  return Sensors{.sm_clock_mhz = static_cast<double>(mhz), .power_watts = milliwatts / 1e3};
}

}  // namespace burnish::cuda
