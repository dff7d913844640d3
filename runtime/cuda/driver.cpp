#include "runtime/cuda/driver.h"

#include <dlfcn.h>

#include <string>

namespace burnish::cuda {

static constexpr const char* without_gpu = ", or run on the CPU (--device cpu)";

static Error no_driver(const std::string& reason) {
  return Error(Code::device_error, "there is no NVIDIA driver: " + reason)
      .remedy(std::string("install the NVIDIA driver 580 or newer") + without_gpu);
}

static Error too_old(const std::string& what) {
  return Error(Code::device_error, "the NVIDIA driver is too old: " + what + ", and CUDA 13.0 is needed")
      .remedy(std::string("update the NVIDIA driver to 580 or newer") + without_gpu);
}

static std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

static std::string last_dl_error() {
  const char* text = dlerror();
  return text ? text : "unknown reason";
}

using GetProcAddress = decltype(&::cuGetProcAddress);

template <class Function>
static Result<> resolve(GetProcAddress get, const char* symbol, Function& function) {
  void* address = nullptr;
  CUdriverProcAddressQueryResult found;
  const CUresult result = get(symbol, &address, CUDA_VERSION, CU_GET_PROC_ADDRESS_LEGACY_STREAM, &found);
  if (result != CUDA_SUCCESS || !address)
    return Error(Code::device_error, std::string("the NVIDIA driver has no function ") + symbol)
        .remedy("reinstall the NVIDIA driver, 580 or newer");
  function = reinterpret_cast<Function>(address);
  return {};
}

static Result<> initialise(Driver& driver) {
  Result<> done = driver.check(driver.init(0), "cuInit");
  if (done) return done;
  return std::move(done).error().remedy(std::string("see that `nvidia-smi` lists a GPU here") + without_gpu);
}

Result<Driver> Driver::load(const char* file) {
  void* library =
      dlopen(file, RTLD_NOW | RTLD_LOCAL);  // never closed: its threads outlive any of our objects
  if (!library) return no_driver(last_dl_error());
  const auto get_version =
      reinterpret_cast<decltype(&::cuDriverGetVersion)>(dlsym(library, "cuDriverGetVersion"));
  if (!get_version) return no_driver(last_dl_error());

  Driver driver;
  if (get_version(&driver.version) != CUDA_SUCCESS) return no_driver("it does not tell its version");
  if (driver.version < CUDA_VERSION) return too_old("it supports CUDA " + version_text(driver.version));
  const auto get = reinterpret_cast<GetProcAddress>(dlsym(library, "cuGetProcAddress_v2"));
  if (!get) return no_driver(last_dl_error());

#define BURNISH_RESOLVE(field, symbol) TRY(resolve(get, #symbol, driver.field));
  BURNISH_DRIVER_FUNCTIONS(BURNISH_RESOLVE)
#undef BURNISH_RESOLVE
  TRY(initialise(driver));
  return driver;
}

Result<const Driver*> Driver::get() {
  static const Result<Driver> driver = load("libcuda.so.1");
  if (!driver) return driver.error();
  return &*driver;
}

Result<> Driver::check(CUresult result, const char* call) const {
  if (result == CUDA_SUCCESS) return {};
  const char* name = nullptr;
  const char* description = nullptr;
  error_name(result, &name);
  error_string(result, &description);
  const Code code = result == CUDA_ERROR_OUT_OF_MEMORY ? Code::out_of_memory : Code::device_error;
  return Error(code, std::string(call) + ": " + (name ? name : "CUDA error " + std::to_string(result)) +
                         ": " + (description ? description : "no description"));
}

}  // namespace burnish::cuda
