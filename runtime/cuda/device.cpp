#include "runtime/cuda/device.h"

#include <array>
#include <cstdio>

namespace burnish::cuda {

ContextScope::~ContextScope() {
  CUcontext context;
  if (pushed_) pushed_->context_pop(&context);
}

Device::State::~State() {
  if (retained) driver->primary_context_release(device);
}

Result<int> Device::count() {
  const Driver* driver = TRY(Driver::get());
  int count = 0;
  TRY(driver->check(driver->device_count(&count), "cuDeviceGetCount"));
  return count;
}

/// The GPU of the context current on this thread; nothing when there is none.
static Result<std::optional<CUdevice>> current_device(const Driver& driver, CUcontext& context) {
  TRY(driver.check(driver.context_current(&context), "cuCtxGetCurrent"));
  if (!context) return std::optional<CUdevice>();
  CUdevice device;
  TRY(driver.check(driver.context_device(&device, context), "cuCtxGetDevice"));
  return std::optional<CUdevice>(device);
}

static Result<CUdevice> device_numbered(const Driver& driver, int ordinal) {
  const int count = TRY(Device::count());
  if (ordinal < 0 || ordinal >= count)
    return Error(Code::invalid_argument, "there is no GPU " + std::to_string(ordinal))
        .remedy(count == 1 ? "use GPU 0, the only one here"
                           : "use a GPU from 0 to " + std::to_string(count - 1));
  CUdevice device;
  TRY(driver.check(driver.device_get(&device, ordinal), "cuDeviceGet"));
  return device;
}

static Result<int> attribute(const Driver& driver, CUdevice device, CUdevice_attribute which) {
  int value = 0;
  TRY(driver.check(driver.device_attribute(&value, which, device), "cuDeviceGetAttribute"));
  return value;
}

static Result<DeviceInfo> read_info(const Driver& driver, CUdevice device) {
  DeviceInfo info;
  info.ordinal = device;  // a CUdevice is its ordinal
  std::array<char, 256> name{};
  TRY(driver.check(driver.device_name(name.data(), name.size(), device), "cuDeviceGetName"));
  info.name = name.data();
  info.major = TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR));
  info.minor = TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
  info.multiprocessors = TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT));
  info.shared_per_block =
      TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
  info.shared_per_multiprocessor = static_cast<size_t>(
      TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR)));
  info.ecc = TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_ECC_ENABLED)) != 0;
  info.l2_cache = TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE));
  info.persisting_l2 = TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_MAX_PERSISTING_L2_CACHE_SIZE));
  info.most_window = TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_MAX_ACCESS_POLICY_WINDOW_SIZE));
  info.clock_khz = TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_CLOCK_RATE));
  info.memory_clock_khz = TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE));
  info.memory_bus_bits = TRY(attribute(driver, device, CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH));
  TRY(driver.check(driver.device_total_memory(&info.total_memory, device), "cuDeviceTotalMem"));
  return info;
}

Result<DeviceInfo> Device::describe(std::optional<int> ordinal) {
  const Driver& driver = *TRY(Driver::get());
  CUcontext context = nullptr;
  const std::optional<CUdevice> current = TRY(current_device(driver, context));
  if (current && (!ordinal || *ordinal == *current)) return read_info(driver, *current);
  return read_info(driver, TRY(device_numbered(driver, ordinal.value_or(0))));
}

Result<Device> Device::open(std::optional<int> ordinal) {
  auto state = std::make_shared<State>();
  state->driver = TRY(Driver::get());
  const Driver& driver = *state->driver;
  CUcontext context = nullptr;
  const std::optional<CUdevice> current = TRY(current_device(driver, context));
  if (current && (!ordinal || *ordinal == *current)) {
    state->device = *current;
    state->context = context;
  } else {
    state->device = TRY(device_numbered(driver, ordinal.value_or(0)));
    TRY(driver.check(driver.primary_context_retain(&state->context, state->device),
                     "cuDevicePrimaryCtxRetain"));
    state->retained = true;
  }
  state->info = TRY(read_info(driver, state->device));
  return Device(std::move(state));
}

Result<ContextScope> Device::enter() const {
  CUcontext current = nullptr;
  TRY(driver().check(driver().context_current(&current), "cuCtxGetCurrent"));
  if (current == context()) return ContextScope(nullptr);
  TRY(driver().check(driver().context_push(context()), "cuCtxPushCurrent"));
  return ContextScope(&driver());
}

Result<size_t> Device::free_memory() const {
  const ContextScope scope = TRY(enter());
  size_t free = 0, total = 0;
  TRY(driver().check(driver().memory_info(&free, &total), "cuMemGetInfo"));
  return free;
}

Result<> Device::check(CUresult result, const char* call) const {
  Result<> checked = driver().check(result, call);
  if (checked || checked.error().code() != Code::out_of_memory) return checked;
  const Result<size_t> free = free_memory();
  return Error(Code::out_of_memory, checked.error().what() + ": GPU " + std::to_string(info().ordinal) +
                                        " (" + info().name + ") has " +
                                        (free ? bytes_text(*free) + " of " : std::string()) +
                                        bytes_text(info().total_memory) + (free ? " free" : ""))
      .remedy("free memory on this GPU, use another one, or run a smaller batch");
}

std::string bytes_text(size_t bytes) {
  constexpr std::array<const char*, 5> units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " bytes";
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1f %s", value, units[unit]);
  return text.data();
}

}  // namespace burnish::cuda
