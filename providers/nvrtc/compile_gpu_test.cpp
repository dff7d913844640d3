#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "providers/nvrtc/compile.h"
#include "runtime/cuda/kernel.h"
#include "runtime/cuda/memory.h"

namespace burnish::nvrtc {

static const char* const squares = R"(
extern "C" __global__ void __launch_bounds__(128) kernel(int* data, int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) data[i] = i * i;
})";

/// The architecture whose cubin this GPU runs: the newest of its major version that is not newer than it.
static std::string_view architecture_for(const cuda::DeviceInfo& info) {
  std::string_view best;
  for (const Architecture& architecture : architectures()) {
    const int number = std::stoi(std::string(architecture.target.substr(3)));
    if (number / 10 == info.major && number % 10 <= info.minor) best = architecture.target;
  }
  return best;
}

static Result<std::vector<int>> run_squares(const cuda::Device& device, int count) {
  const cuda::ContextScope scope = TRY(device.enter());
  const auto cubin =
      TRY(TRY(Compiler::open()).compile({"squares", squares, {}}, architecture_for(device.info())));
  const cuda::Module module = TRY(cuda::Module::load(device, cubin.data(), "squares"));
  const cuda::Kernel kernel = TRY(module.kernel("kernel"));
  const cuda::Stream stream = TRY(cuda::Stream::create(device));
  const auto memory = TRY(cuda::DeviceMemory::allocate(device, count * sizeof(int)));
  CUdeviceptr address = memory.address();
  const std::array<void*, 2> arguments = {&address, &count};
  const uint32_t blocks = (count + 127) / 128;
  TRY(cuda::launch(stream, kernel, {{blocks, 1, 1}, {128, 1, 1}, 0}, arguments));
  std::vector<int> values(count, -1);
  TRY(stream.download(values.data(), address, count * sizeof(int)));
  TRY(stream.synchronize());
  return values;
}

TEST(CompileOnGpu, CubinRuns) {
  const Result<cuda::Device> device = cuda::Device::open();
  if (!device) GTEST_SKIP() << device.error().cause();
  const auto values = run_squares(*device, 1000);
  ASSERT_TRUE(values) << values.error().cause();
  for (int i = 0; i < 1000; ++i) ASSERT_EQ((*values)[i], i * i);
}

}  // namespace burnish::nvrtc
