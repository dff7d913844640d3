#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "runtime/cuda/graph.h"
#include "runtime/cuda/memory.h"

namespace burnish::cuda {

/// data[i] += value for i < count, as PTX so that this folder's test needs no compiler.
static const char* const add_value = R"(
.version 8.0
.target sm_80
.address_size 64

.visible .entry add_value(.param .u64 data, .param .u32 count, .param .f32 value)
{
  .reg .pred %past;
  .reg .b32 %i, %n, %block, %width, %thread;
  .reg .b64 %base, %offset;
  .reg .f32 %x, %v;
  ld.param.u64 %base, [data];
  ld.param.u32 %n, [count];
  ld.param.f32 %v, [value];
  mov.u32 %block, %ctaid.x;
  mov.u32 %width, %ntid.x;
  mov.u32 %thread, %tid.x;
  mad.lo.u32 %i, %block, %width, %thread;
  setp.ge.u32 %past, %i, %n;
  @%past bra done;
  cvta.to.global.u64 %base, %base;
  mul.wide.u32 %offset, %i, 4;
  add.u64 %base, %base, %offset;
  ld.global.f32 %x, [%base];
  add.rn.f32 %x, %x, %v;
  st.global.f32 [%base], %x;
done:
  ret;
}
)";

static constexpr uint32_t count = 100003;
static constexpr size_t bytes = count * sizeof(float);

/// Whole numbers, so that sums are exact in any order.
static std::vector<float> random_values(unsigned seed) {
  std::mt19937 generator(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(static_cast<int>(generator() % 20001) - 10000);
  return values;
}

static std::vector<float> plus(std::vector<float> values, float added) {
  for (float& value : values) value += added;
  return values;
}

static LaunchShape shape_for(uint32_t elements) { return {{(elements + 255) / 256, 1, 1}, {256, 1, 1}, 0}; }

/// Fails the test with the error's text and gives the value otherwise.
template <class T>
static T must(Result<T> result) {
  if (result) return *std::move(result);
  ADD_FAILURE() << result.error().cause();
  std::abort();
}

/// The arguments of add_value, and the pointers to them that a launch takes.
struct Arguments {
  CUdeviceptr data;
  uint32_t elements = count;
  float value;
  std::array<void*, 3> pointers = {&data, &elements, &value};
  Arguments(CUdeviceptr data, float value) : data(data), value(value) {}
  Arguments(const Arguments&) = delete;
};

class OnGpu : public testing::Test {
 protected:
  void SetUp() override {
    Result<Device> opened = Device::open();
    if (!opened) GTEST_SKIP() << opened.error().cause();
    device.emplace(*opened);
    scope.emplace(must(device->enter()));
    stream.emplace(must(Stream::create(*device)));
    module.emplace(must(Module::load(*device, add_value, "adds a value")));
    kernel = must(module->kernel("add_value"));
  }

  DeviceMemory uploaded(const std::vector<float>& values) {
    DeviceMemory memory = must(DeviceMemory::allocate(*device, bytes));
    must(stream->upload(memory.address(), values.data(), bytes));
    return memory;
  }

  std::vector<float> downloaded(CUdeviceptr from) {
    std::vector<float> values(count, std::nanf(""));
    must(stream->download(values.data(), from, bytes));
    must(stream->synchronize());
    return values;
  }

  // Declared so that all else ends before the scope, and the device last.
  std::optional<Device> device;
  std::optional<ContextScope> scope;
  std::optional<Stream> stream;
  std::optional<Module> module;
  Kernel kernel;
};

TEST_F(OnGpu, DeviceDescribesItself) {
  const DeviceInfo& info = device->info();
  EXPECT_FALSE(info.name.empty());
  EXPECT_GE(info.major, 8);
  EXPECT_GT(info.multiprocessors, 0);
  EXPECT_GE(info.shared_per_block, size_t{96} << 10);
  EXPECT_GT(info.l2_cache, size_t{1} << 20);
  EXPECT_GT(info.total_memory, size_t{1} << 30);
  EXPECT_LE(must(device->free_memory()), info.total_memory);
  EXPECT_GE(must(Device::count()), 1);
}

TEST_F(OnGpu, NoSuchGpu) {
  const Result<Device> none = Device::open(1000);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), Code::invalid_argument);
  EXPECT_EQ(none.error().cause(), "there is no GPU 1000");
}

TEST_F(OnGpu, UsesTheCurrentContext) {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
  const auto create =
      reinterpret_cast<CUresult (*)(CUcontext*, unsigned, CUdevice)>(dlsym(library, "cuCtxCreate_v2"));
  const auto destroy = reinterpret_cast<CUresult (*)(CUcontext)>(dlsym(library, "cuCtxDestroy_v2"));
  CUcontext mine = nullptr;
  ASSERT_EQ(create(&mine, 0, device->info().ordinal), CUDA_SUCCESS);  // and makes it current
  EXPECT_NE(mine, device->context());
  EXPECT_EQ(must(Device::open()).context(), mine);
  EXPECT_EQ(must(Device::open(device->info().ordinal)).context(), mine);
  EXPECT_EQ(destroy(mine), CUDA_SUCCESS);  // and makes the one before it current again
  EXPECT_EQ(must(Device::open()).context(), device->context());
}

TEST_F(OnGpu, EnteringLeavesTheThreadAsItWas) {
  std::thread([&] {
    CUcontext current = nullptr;
    {
      const ContextScope outer = must(device->enter());
      const ContextScope inner = must(device->enter());
      device->driver().context_current(&current);
      EXPECT_EQ(current, device->context());
    }
    device->driver().context_current(&current);
    EXPECT_EQ(current, nullptr);
  }).join();
}

TEST_F(OnGpu, ObjectsLiveAndDieOnAnyThread) {
  std::thread([&] {
    DeviceMemory memory = must(DeviceMemory::allocate(*device, 1 << 20));
    const PinnedMemory pinned = must(PinnedMemory::allocate(*device, 1 << 20));
    EXPECT_NE(memory.address(), 0u);
    EXPECT_NE(pinned.data(), nullptr);
    DeviceMemory moved = std::move(memory);
    EXPECT_EQ(memory.address(), 0u);
    EXPECT_NE(moved.address(), 0u);
  }).join();
}

TEST_F(OnGpu, MemoryIsGivenBack) {
  const size_t before = must(device->free_memory());
  {
    const DeviceMemory memory = must(DeviceMemory::allocate(*device, size_t{256} << 20));
    EXPECT_LE(must(device->free_memory()) + (size_t{200} << 20), before);
  }
  EXPECT_GE(must(device->free_memory()) + (size_t{32} << 20), before);
}

TEST_F(OnGpu, MemoryGrowsOnly) {
  DeviceMemory memory;
  must(memory.reserve(*device, 0));
  EXPECT_EQ(memory.address(), 0u);
  must(memory.reserve(*device, 1000));
  const CUdeviceptr address = memory.address();
  EXPECT_EQ(address % 256, 0u);
  must(memory.reserve(*device, 10));
  EXPECT_EQ(memory.address(), address);
  EXPECT_EQ(memory.size(), 1000u);
  must(memory.reserve(*device, 1 << 20));
  EXPECT_EQ(memory.size(), size_t{1} << 20);
}

TEST_F(OnGpu, ShortageNamesWantedAndFree) {
  const Result<DeviceMemory> memory = DeviceMemory::allocate(*device, size_t{1} << 40);
  ASSERT_FALSE(memory);
  const std::string cause = memory.error().cause();
  EXPECT_EQ(memory.error().code(), Code::out_of_memory) << cause;
  EXPECT_TRUE(cause.starts_with("cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY: out of memory: GPU ")) << cause;
  EXPECT_TRUE(cause.ends_with(" free, while allocating 1.0 TiB of GPU memory")) << cause;
}

TEST_F(OnGpu, Copies) {
  const std::vector<float> values = random_values(1);
  const DeviceMemory first = uploaded(values);
  const DeviceMemory second = must(DeviceMemory::allocate(*device, bytes));
  must(stream->fill(second.address(), 0xff, bytes));
  must(stream->copy(second.address(), first.address(), bytes));
  EXPECT_EQ(downloaded(second.address()), values);
  must(stream->fill(second.address(), 0, bytes));
  EXPECT_EQ(downloaded(second.address()), std::vector<float>(count, 0.0f));
  must(stream->copy(second.address(), 0, 0));
}

TEST_F(OnGpu, CopiesThroughPinnedMemory) {
  const std::vector<float> values = random_values(2);
  const PinnedMemory in = must(PinnedMemory::allocate(*device, bytes));
  std::memcpy(in.data(), values.data(), bytes);
  const DeviceMemory memory = must(DeviceMemory::allocate(*device, bytes));
  must(stream->upload(memory.address(), in.data(), bytes));
  EXPECT_EQ(downloaded(memory.address()), values);
}

TEST_F(OnGpu, Launches) {
  EXPECT_GT(kernel.registers, 0);
  EXPECT_EQ(kernel.spilled_bytes, 0);
  EXPECT_GE(kernel.max_threads, 256);
  const std::vector<float> values = random_values(3);
  const DeviceMemory memory = uploaded(values);
  Arguments arguments(memory.address(), 7);
  must(launch(*stream, kernel, shape_for(count), arguments.pointers));
  must(launch(*stream, kernel, {{0, 1, 1}, {256, 1, 1}, 0}, arguments.pointers));
  EXPECT_EQ(downloaded(memory.address()), plus(values, 7));
}

TEST_F(OnGpu, RefusedLaunchNamesTheKernel) {
  Arguments arguments(0, 0);
  const Result<> launched = launch(*stream, kernel, {{1, 1, 1}, {4096, 1, 1}, 0}, arguments.pointers);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code(), Code::device_error);
  EXPECT_EQ(
      launched.error().cause(),
      "cuLaunchKernel: CUDA_ERROR_INVALID_VALUE: invalid argument, while launching kernel 'adds a value' "
      "(grid 1x1x1, block 4096x1x1, 0 bytes of shared memory)");
}

TEST_F(OnGpu, SharedMemoryBeyondTheDefault) {
  const std::vector<float> values = random_values(4);
  const DeviceMemory memory = uploaded(values);
  Arguments arguments(memory.address(), 1);
  LaunchShape shape = shape_for(count);
  shape.shared_bytes = 90 << 10;
  EXPECT_FALSE(launch(*stream, kernel, shape, arguments.pointers));
  must(kernel.allow_shared(*device, shape.shared_bytes));
  must(launch(*stream, kernel, shape, arguments.pointers));
  EXPECT_EQ(downloaded(memory.address()), plus(values, 1));
  const Result<> too_much = kernel.allow_shared(*device, size_t{1} << 20);
  ASSERT_FALSE(too_much);
  EXPECT_EQ(too_much.error().code(), Code::unsupported);
}

TEST_F(OnGpu, BadCodeNamesItsOwner) {
  const std::string garbage(4096, 'x');
  const Result<Module> loaded = Module::load(*device, garbage.data(), "conv1");
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().cause().find("'conv1'"), std::string::npos) << loaded.error().cause();
  const Result<Kernel> missing = module->kernel("absent");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().cause().starts_with("cuModuleGetFunction: CUDA_ERROR_NOT_FOUND: "))
      << missing.error().cause();
}

TEST_F(OnGpu, EventsOrderAndTime) {
  const std::vector<float> values = random_values(5);
  const Stream other = must(Stream::create(*device));
  const Event start = must(Event::create(*device, Event::Timing::on));
  const Event end = must(Event::create(*device, Event::Timing::on));
  const DeviceMemory memory = uploaded(values);
  must(stream->record(start));
  Arguments arguments(memory.address(), 1);
  for (int i = 0; i < 200; ++i) must(launch(*stream, kernel, shape_for(count), arguments.pointers));
  must(stream->record(end));
  must(other.wait(end));
  std::vector<float> result(count);
  must(other.download(result.data(), memory.address(), bytes));
  must(other.synchronize());
  EXPECT_EQ(result, plus(values, 200));
  must(end.synchronize());
  EXPECT_GT(must(end.milliseconds_since(start)), 0.0f);
}

TEST_F(OnGpu, BorrowedStreamIsNotDestroyed) {
  {
    const Stream borrowed = Stream::borrow(*device, stream->get());
  }
  EXPECT_TRUE(stream->synchronize());
  const Stream standard = Stream::borrow(*device, nullptr);
  EXPECT_FALSE(must(standard.is_capturing()));
}

TEST_F(OnGpu, GraphRunsInOrderAndCanBeUpdated) {
  const std::vector<float> values = random_values(6);
  const std::vector<float> others = random_values(7);
  const DeviceMemory a = uploaded(values), b = uploaded(others);
  const DeviceMemory out = must(DeviceMemory::allocate(*device, bytes));
  std::vector<float> host(count);

  Graph graph = must(Graph::create(*device));
  Arguments add3(out.address(), 3), add5(out.address(), 5);
  const GraphNode fill = must(graph.add_fill({}, out.address(), 0xff, bytes));
  const GraphNode copy = must(graph.add_copy({&fill, 1}, out.address(), a.address(), bytes));
  const GraphNode first = must(graph.add_kernel({&copy, 1}, kernel, shape_for(count), add3.pointers));
  const GraphNode second = must(graph.add_kernel({&first, 1}, kernel, shape_for(count), add5.pointers));
  const GraphNode idle = must(graph.add_kernel({&second, 1}, kernel, shape_for(0), add5.pointers));
  const GraphNode join = must(graph.add_empty(std::array{second, idle}));
  const GraphNode down = must(graph.add_download({&join, 1}, host.data(), out.address(), bytes));
  add3.value = add5.value = -1;  // the nodes hold copies

  GraphExec exec = must(GraphExec::instantiate(std::move(graph)));
  must(exec.upload(*stream));
  const auto result = [&] {
    host.assign(count, std::nanf(""));
    must(exec.launch(*stream));
    must(stream->synchronize());
    return host;
  };
  EXPECT_EQ(result(), plus(values, 8));

  must(exec.update_copy(copy, out.address(), b.address(), bytes));
  Arguments add11(out.address(), 11);
  must(exec.update_kernel(second, kernel, shape_for(count), add11.pointers));
  EXPECT_EQ(result(), plus(others, 14));

  must(exec.update_kernel(first, kernel, shape_for(0), add11.pointers));
  must(exec.update_kernel(idle, kernel, shape_for(0), add11.pointers));
  EXPECT_EQ(result(), plus(others, 11));
  must(exec.update_kernel(first, kernel, shape_for(count), add11.pointers));
  EXPECT_EQ(result(), plus(others, 22));
  EXPECT_FALSE(exec.update_kernel(idle, kernel, shape_for(count), add11.pointers));

  must(exec.update_fill(fill, out.address(), 0, bytes));
  must(exec.update_copy(copy, out.address(), b.address(), 0));
  EXPECT_EQ(result(), std::vector<float>(count, 22.0f));

  std::vector<float> elsewhere(count);
  must(exec.update_download(down, elsewhere.data(), out.address(), bytes));
  must(exec.launch(*stream));
  must(stream->synchronize());
  EXPECT_EQ(elsewhere, std::vector<float>(count, 22.0f));
}

TEST_F(OnGpu, GraphUploadsFromTheHost) {
  const std::vector<float> values = random_values(8), others = random_values(9);
  const DeviceMemory memory = must(DeviceMemory::allocate(*device, bytes));
  Graph graph = must(Graph::create(*device));
  const GraphNode up = must(graph.add_upload({}, memory.address(), values.data(), bytes));
  GraphExec exec = must(GraphExec::instantiate(std::move(graph)));
  must(exec.launch(*stream));
  EXPECT_EQ(downloaded(memory.address()), values);
  must(exec.update_upload(up, memory.address(), others.data(), bytes));
  must(exec.launch(*stream));
  EXPECT_EQ(downloaded(memory.address()), others);
}

TEST_F(OnGpu, CaptureIsSeenAndBecomesAChild) {
  const std::vector<float> values = random_values(10);
  const DeviceMemory memory = uploaded(values);
  must(stream->synchronize());
  Arguments arguments(memory.address(), 2);
  EXPECT_FALSE(must(stream->is_capturing()));
  must(begin_capture(*stream));
  EXPECT_TRUE(must(stream->is_capturing()));
  must(launch(*stream, kernel, shape_for(count), arguments.pointers));
  const Graph captured = must(end_capture(*stream));
  EXPECT_FALSE(must(stream->is_capturing()));
  EXPECT_EQ(downloaded(memory.address()), values) << "captured work must not run";

  Graph graph = must(Graph::create(*device));
  const GraphNode once = must(graph.add_child({}, captured));
  must(graph.add_child({&once, 1}, captured));
  const GraphExec exec = must(GraphExec::instantiate(std::move(graph)));
  must(exec.launch(*stream));
  EXPECT_EQ(downloaded(memory.address()), plus(values, 4));
}

}  // namespace burnish::cuda
