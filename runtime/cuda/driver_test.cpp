#include "runtime/cuda/driver.h"

#include <cudaTypedefs.h>
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <type_traits>

#include "runtime/cuda/kernel.h"

namespace burnish::cuda {

/// The path of a stand-in driver (see testing/), beside the folder that holds this test program.
static std::string fake(const std::string& name) {
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  return program.parent_path().parent_path() / "testing" / ("fake_driver_" + name + ".so");
}

static void expect_refused(const char* file, const std::string& cause, const std::string& remedy) {
  const Result<Driver> driver = Driver::load(file);
  ASSERT_FALSE(driver);
  EXPECT_EQ(driver.error().code(), Code::device_error);
  EXPECT_EQ(driver.error().cause(), cause);
  EXPECT_EQ(driver.error().remedy(), remedy);
}

// Of functions that have had several forms, the one declared is the one that the driver gives as of CUDA 13.0.
#define EXPECT_FORM(symbol, version) \
  static_assert(std::is_same_v<decltype(&::symbol), PFN_##symbol##_v##version>)
EXPECT_FORM(cuCtxGetDevice, 13000);
EXPECT_FORM(cuCtxPopCurrent, 4000);
EXPECT_FORM(cuCtxPushCurrent, 4000);
EXPECT_FORM(cuDevicePrimaryCtxRelease, 11000);
EXPECT_FORM(cuDeviceTotalMem, 3020);
EXPECT_FORM(cuEventDestroy, 4000);
EXPECT_FORM(cuEventElapsedTime, 12080);
EXPECT_FORM(cuGraphAddKernelNode, 12000);
EXPECT_FORM(cuGraphExecKernelNodeSetParams, 12000);
EXPECT_FORM(cuMemAlloc, 3020);
EXPECT_FORM(cuMemFree, 3020);
EXPECT_FORM(cuMemGetInfo, 3020);
EXPECT_FORM(cuMemcpyDtoDAsync, 3020);
EXPECT_FORM(cuMemcpyDtoHAsync, 3020);
EXPECT_FORM(cuMemcpyHtoDAsync, 3020);
EXPECT_FORM(cuStreamBeginCapture, 10010);
EXPECT_FORM(cuStreamDestroy, 4000);

TEST(Driver, GoodOneIsTaken) {
  const Result<Driver> driver = Driver::load(fake("good").c_str());
  ASSERT_TRUE(driver) << driver.error().cause();
  EXPECT_EQ(driver->version, 13020);
#define EXPECT_RESOLVED(field, symbol) EXPECT_NE(driver->field, nullptr) << #symbol;
  BURNISH_DRIVER_FUNCTIONS(EXPECT_RESOLVED)
}

TEST(Driver, NotInstalled) {
  expect_refused("libcuda-absent.so.1",
                 "there is no NVIDIA driver: "
                 "libcuda-absent.so.1: cannot open shared object file: No such file or directory",
                 "install the NVIDIA driver 580 or newer, or run on the CPU (--device cpu)");
}

TEST(Driver, TooOld) {
  expect_refused(fake("old").c_str(),
                 "the NVIDIA driver is too old: it supports CUDA 12.4, and CUDA 13.0 is needed",
                 "update the NVIDIA driver to 580 or newer, or run on the CPU (--device cpu)");
}

TEST(Driver, FunctionMissing) {
  expect_refused(fake("incomplete").c_str(), "the NVIDIA driver has no function cuGraphLaunch",
                 "reinstall the NVIDIA driver, 580 or newer");
}

TEST(Driver, NoGpu) {
  expect_refused(fake("without_gpu").c_str(),
                 "cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected",
                 "see that `nvidia-smi` lists a GPU here, or run on the CPU (--device cpu)");
}

TEST(Driver, ResultsBecomeErrors) {
  const Result<Driver> driver = Driver::load(fake("good").c_str());
  ASSERT_TRUE(driver);
  EXPECT_TRUE(driver->check(CUDA_SUCCESS, "cuMemAlloc"));
  const Result<> shortage = driver->check(CUDA_ERROR_OUT_OF_MEMORY, "cuMemAlloc");
  EXPECT_EQ(shortage.error().code(), Code::out_of_memory);
  EXPECT_EQ(shortage.error().cause(), "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY: out of memory");
  const Result<> unknown = driver->check(static_cast<CUresult>(12345), "cuLaunchKernel");
  EXPECT_EQ(unknown.error().code(), Code::device_error);
  EXPECT_EQ(unknown.error().cause(), "cuLaunchKernel: CUDA error 12345: no description");
}

TEST(Device, WithoutDriver) {
  if (dlopen("libcuda.so.1", RTLD_NOW)) GTEST_SKIP() << "this machine has a driver";
  const std::string cause =
      "there is no NVIDIA driver: libcuda.so.1: cannot open shared object file: No such file or directory";
  const Result<Device> device = Device::open(0);
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().cause(), cause);
  EXPECT_EQ(device.error().remedy(),
            "install the NVIDIA driver 580 or newer, or run on the CPU (--device cpu)");
  const Result<int> count = Device::count();
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().cause(), cause);
}

TEST(Texts, Bytes) {
  EXPECT_EQ(bytes_text(0), "0 bytes");
  EXPECT_EQ(bytes_text(1023), "1023 bytes");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(size_t{3} << 40), "3.0 TiB");
}

TEST(Texts, LaunchShape) {
  EXPECT_EQ((LaunchShape{{4, 2, 1}, {256, 1, 1}, 1024}).text(),
            "grid 4x2x1, block 256x1x1, 1024 bytes of shared memory");
  EXPECT_FALSE(LaunchShape{}.empty());
  EXPECT_TRUE((LaunchShape{{4, 0, 1}, {256, 1, 1}, 0}).empty());
}

}  // namespace burnish::cuda
