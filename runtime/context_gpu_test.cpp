#include "runtime/context.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>

#include "plan/plan_testing.h"
#include "runtime/cuda/graph.h"
#include "runtime/fake_host_provider_testing.h"

namespace burnish {

using testing::PlanMaker;

/// y[i] = x[i] + 1 for i < n, as PTX so that this folder's test needs no compiler.
static const char add_one[] = R"(
.version 8.0
.target sm_80
.address_size 64

.visible .entry kernel(.param .u64 y, .param .u64 x, .param .u64 n)
{
  .reg .pred %past;
  .reg .b32 %block, %width, %thread, %i;
  .reg .b64 %from, %to, %offset, %index, %count;
  .reg .f32 %v;
  ld.param.u64 %to, [y];
  ld.param.u64 %from, [x];
  ld.param.u64 %count, [n];
  mov.u32 %block, %ctaid.x;
  mov.u32 %width, %ntid.x;
  mov.u32 %thread, %tid.x;
  mad.lo.u32 %i, %block, %width, %thread;
  cvt.u64.u32 %index, %i;
  setp.ge.u64 %past, %index, %count;
  @%past bra done;
  cvta.to.global.u64 %from, %from;
  cvta.to.global.u64 %to, %to;
  shl.b64 %offset, %index, 2;
  add.u64 %from, %from, %offset;
  add.u64 %to, %to, %offset;
  ld.global.f32 %v, [%from];
  add.rn.f32 %v, %v, 0f3F800000;
  st.global.f32 [%to], %v;
done:
  ret;
}
)";

/// The same by a kernel that lets the next one start at once, takes its time (20 us), and then waits for those before it.
static std::string slow_add_one() {
  std::string text = add_one;
  const auto replace = [&](std::string_view what, std::string_view by) {
    text.replace(text.find(what), what.size(), by);
  };
  replace(".target sm_80", ".target sm_90");
  replace("  ld.param.u64 %to, [y];", R"(  .reg .b64 %now, %end;
  .reg .pred %early;
  griddepcontrol.launch_dependents;
  mov.u64 %end, %globaltimer;
  add.u64 %end, %end, 20000;
spin:
  mov.u64 %now, %globaltimer;
  setp.lt.u64 %early, %now, %end;
  @%early bra spin;
  griddepcontrol.wait;
  ld.param.u64 %to, [y];)");
  return text;
}

class GpuContext : public ::testing::Test {
 protected:
  void SetUp() override {
    auto count = cuda::Device::count();
    if (!count || *count == 0) GTEST_SKIP() << "no GPU";
    device_ = *cuda::Device::open(0);
  }

  /// y = x + 6 by six kernels through two buffers of an arena, which swap; with a host step in the middle if wanted.
  Plan chain(bool host_step, bool starts_early = false) {
    PlanMaker m;
    m.plan.target = device_->info().architecture();
    m.plan.modules = {{.target = m.plan.target}};
    const Slot n = m.symbol(), zero = m.constant(0), one = m.constant(1), four = m.constant(4),
               block = m.constant(256);
    const Slot bytes = m.mul(n, four), blocks = m.emit(PlanMaker::Op::floor_div,
                                                       m.emit(PlanMaker::Op::add, n, m.constant(255)), block);
    const Slot aligned = m.mul(blocks, m.constant(1024)), arena = m.mul(aligned, m.constant(2));
    m.plan.device_arena = {arena};
    m.plan.host_arena = {bytes};
    const uint32_t x = m.input("x", DType::f32, {{n, "n", true, 0}}, bytes, Space::device);
    const uint32_t y = m.output("y", DType::f32, {{n, "n"}}, bytes, Space::device);
    const uint32_t a = m.temporary(bytes, zero, 0, Space::device),
                   b = m.temporary(bytes, aligned, 0, Space::device);
    auto add = [&](uint32_t from, uint32_t to) {
      m.step("add",
             KernelLaunch{.function = "kernel",
                          .grid = {blocks, one, one},
                          .block = {256, 1, 1},
                          .arguments = {{.buffer = to, .element_size = 4, .slot = zero, .written = true},
                                        {.buffer = from, .element_size = 4, .slot = zero},
                                        {.kind = KernelLaunch::Argument::Kind::integer, .slot = n}},
                          .starts_early = starts_early});
    };
    auto list = [&](uint32_t buffer) { return m.operand(buffer, DType::f32, {n}, {one}, zero); };
    add(x, a);
    add(a, b);
    add(b, a);
    add(a, b);
    if (host_step) {
      const uint32_t h = m.temporary(bytes, zero);
      m.step("down", Copy{list(b), list(h)});
      m.step("host", HostCall{"add_one", {list(h)}, {list(h)}, {}});
      m.step("up", Copy{list(h), list(b)});
    }
    add(b, a);
    m.step("copy", Copy{list(a), list(b)});
    add(b, y);
    return m.finish();
  }

  std::unique_ptr<Context> context_of(Plan plan, bool graphs = true, const std::string& text = add_one) {
    EngineContents contents;
    const auto* code = reinterpret_cast<const std::byte*>(text.c_str());
    contents.targets.push_back({.plan = std::move(plan), .code = {{code, code + text.size() + 1}}});
    auto engine = Engine::from_bytes(*engine_bytes(contents));
    EXPECT_TRUE(engine);
    auto context = Context::create(
        *engine, {.device = 0, .graphs = graphs, .host_provider = testing::fake_host_provider()});
    EXPECT_TRUE(context) << context.error().cause();
    return *std::move(context);
  }

  std::optional<cuda::Device> device_;
};

static std::vector<float> whole_numbers(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> x(n);
  for (float& v : x) v = static_cast<float>(static_cast<int>(random() % 2001) - 1000);
  return x;
}
static std::vector<float> plus(std::vector<float> x, float added) {
  for (float& v : x) v += added;
  return x;
}
static TensorRef ref(std::vector<float>& x) {
  return {DType::f32, {static_cast<int64_t>(x.size())}, x.data(), x.size() * 4, Space::host};
}
static std::vector<float> result(Context& context) {
  const auto y = context.output("y");
  EXPECT_TRUE(y) << y.error().cause();
  std::vector<float> values(y->bytes / 4, -77);
  EXPECT_TRUE(context.read_output("y", values.data(), y->bytes));
  return values;
}

TEST_F(GpuContext, RunsForAnyExtent) {
  for (bool host_step : {false, true})
    for (bool graphs : {true, false}) {
      const auto context = context_of(chain(host_step), graphs);
      for (size_t n : {1000u, 1u, 100000u, 0u, 256u, 1000u}) {
        std::vector<float> x = whole_numbers(n, static_cast<unsigned>(n));
        if (n == 0) x.reserve(1);
        ASSERT_TRUE(context->set_input("x", ref(x)));
        const Result<> ran = context->run();
        ASSERT_TRUE(ran) << ran.error().cause();
        EXPECT_EQ(result(*context), plus(x, host_step ? 7 : 6)) << n;
      }
    }
}

TEST_F(GpuContext, AGraphIsMadeOncePerShape) {
  const auto context = context_of(chain(false));
  std::vector<float> x = whole_numbers(5000, 1), shorter = whole_numbers(4000, 2);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(context->set_input("x", ref(i % 2 ? shorter : x)));
    ASSERT_TRUE(context->run());
    EXPECT_EQ(result(*context), plus(i % 2 ? shorter : x, 6));
    EXPECT_EQ(context->graphs_built(), i == 0 ? 1u : 2u);
  }
  const MemoryUse use = context->memory();
  EXPECT_GE(use.device_arena, 40000u);
}

TEST_F(GpuContext, OneBranchAtATimeAndAPersistentCacheChangeNoResult) {
  for (uint32_t branches : {0u, 1u, 2u})
    for (bool graphs : {true, false}) {
      Plan plan = chain(false);
      plan.max_branches = branches;
      const auto context = context_of(std::move(plan), graphs);
      std::vector<float> x = whole_numbers(5000, 4);
      ASSERT_TRUE(context->set_input("x", ref(x)));
      for (size_t bytes : {size_t{0}, size_t{1} << 20, size_t{1} << 40, size_t{0}}) {
        const Result<> set = context->set_persistent_cache(bytes);
        ASSERT_TRUE(set) << set.error().cause();
        const Result<> ran = context->run();
        ASSERT_TRUE(ran) << ran.error().cause();
        EXPECT_EQ(result(*context), plus(x, 6));
      }
    }
}

TEST_F(GpuContext, KernelsThatStartEarlyWaitOnTheGpu) {
  if (device_->info().major < 9) GTEST_SKIP() << "not before sm_90";
  std::vector<float> x = whole_numbers(5000, 6);
  float milliseconds[2];
  for (bool early : {false, true}) {
    const auto context = context_of(chain(false, early), true, slow_add_one());
    for (int run = 0; run < 20; ++run) {
      for (float& v : x) v += 1;
      ASSERT_TRUE(context->set_input("x", ref(x)));
      const Result<> ran = context->run();
      ASSERT_TRUE(ran) << ran.error().cause();
      ASSERT_EQ(result(*context), plus(x, 6)) << run;
    }
    const auto times = context->time(20);
    ASSERT_TRUE(times) << times.error().cause();
    milliseconds[early] = times->back().gpu_ms;
  }
  EXPECT_GT(milliseconds[false], 0.120f);
  EXPECT_LT(milliseconds[true],
            0.080f);  // 20 us of the first five, side by side, and of the one after the copy
}

TEST_F(GpuContext, MemoryOfTheCallerIsUsedInPlace) {
  const auto context = context_of(chain(false));
  const auto scope = device_->enter();
  ASSERT_TRUE(scope);
  const cuda::Stream stream = *cuda::Stream::create(*device_);
  std::vector<float> x = whole_numbers(3000, 3);
  const auto in = cuda::DeviceMemory::allocate(*device_, x.size() * 4),
             out = cuda::DeviceMemory::allocate(*device_, x.size() * 4);
  ASSERT_TRUE(in && out);
  ASSERT_TRUE(stream.upload(in->address(), x.data(), x.size() * 4));
  TensorRef tensor = ref(x);
  tensor.space = Space::device;
  tensor.data = reinterpret_cast<void*>(in->address());
  ASSERT_TRUE(context->set_input("x", tensor));
  tensor.data = reinterpret_cast<void*>(out->address());
  ASSERT_TRUE(context->set_output("y", tensor));
  ASSERT_TRUE(context->run(stream.get()));
  std::vector<float> y(x.size());
  ASSERT_TRUE(stream.download(y.data(), out->address(), y.size() * 4));
  ASSERT_TRUE(stream.synchronize());
  EXPECT_EQ(y, plus(x, 6));
  EXPECT_EQ(context->memory().bindings, 0u);
  // Where kernels could not read or write, the bytes are copied.
  tensor.shape = {100};
  tensor.data = reinterpret_cast<void*>(in->address() + 4);
  ASSERT_TRUE(context->set_input("x", tensor));
  tensor.data = reinterpret_cast<void*>(out->address() + 8);
  ASSERT_TRUE(context->set_output("y", tensor));
  ASSERT_TRUE(context->run());
  EXPECT_EQ(result(*context), plus({x.begin() + 1, x.begin() + 101}, 6));
}

TEST_F(GpuContext, HostMemoryOfAnInputIsFreeWhenRunReturns) {
  const auto context = context_of(chain(false));
  const auto scope = device_->enter();
  ASSERT_TRUE(scope);
  const cuda::Stream stream = *cuda::Stream::create(*device_);
  const size_t count = 1 << 20;
  std::vector<cuda::DeviceMemory> out;
  std::vector<float> x(count);
  for (unsigned run = 0; run < 4; ++run) {
    out.push_back(*cuda::DeviceMemory::allocate(*device_, count * 4));
    TensorRef y = ref(x);
    y.space = Space::device;
    y.data = reinterpret_cast<void*>(out.back().address());
    x = whole_numbers(count, run);
    ASSERT_TRUE(context->set_input("x", ref(x)));
    ASSERT_TRUE(context->set_output("y", y));
    ASSERT_TRUE(context->run(stream.get()));
    std::fill(x.begin(), x.end(), -1.0f);
  }
  ASSERT_TRUE(stream.synchronize());
  for (unsigned run = 0; run < 4; ++run) {
    std::vector<float> y(count, -2);
    ASSERT_TRUE(stream.download(y.data(), out[run].address(), count * 4));
    ASSERT_TRUE(stream.synchronize());
    EXPECT_EQ(y, plus(whole_numbers(count, run), 6)) << "run " << run;
  }
}

TEST_F(GpuContext, OutputsMayGoToHostMemory) {
  const auto context = context_of(chain(false));
  std::vector<float> x = whole_numbers(300, 4), y(300, -1);
  ASSERT_TRUE(context->set_input("x", ref(x)));
  ASSERT_TRUE(context->set_output("y", ref(y)));
  ASSERT_TRUE(context->run());
  EXPECT_EQ(y, plus(x, 6));
}

TEST_F(GpuContext, ARunCanBeCaptured) {
  const auto context = context_of(chain(false));
  const auto scope = device_->enter();
  ASSERT_TRUE(scope);
  const cuda::Stream stream = *cuda::Stream::create(*device_);
  std::vector<float> x = whole_numbers(2000, 5);
  const auto in = cuda::DeviceMemory::allocate(*device_, x.size() * 4),
             out = cuda::DeviceMemory::allocate(*device_, x.size() * 4);
  ASSERT_TRUE(in && out);
  TensorRef tensor = ref(x);
  tensor.space = Space::device;
  tensor.data = reinterpret_cast<void*>(in->address());
  ASSERT_TRUE(context->set_input("x", tensor));
  tensor.data = reinterpret_cast<void*>(out->address());
  ASSERT_TRUE(context->set_output("y", tensor));
  ASSERT_TRUE(context->run());  // memory is there: nothing may be allocated during a capture
  ASSERT_TRUE(cuda::begin_capture(stream));
  const Result<> ran = context->run(stream.get());
  auto graph = cuda::end_capture(stream);
  ASSERT_TRUE(ran) << ran.error().cause();
  ASSERT_TRUE(graph);
  const auto exec = cuda::GraphExec::instantiate(*std::move(graph));
  ASSERT_TRUE(exec);
  for (unsigned i = 0; i < 3; ++i) {
    x = whole_numbers(2000, 10 + i);
    std::vector<float> y(x.size());
    ASSERT_TRUE(stream.upload(in->address(), x.data(), x.size() * 4));
    ASSERT_TRUE(exec->launch(stream));
    ASSERT_TRUE(stream.download(y.data(), out->address(), y.size() * 4));
    ASSERT_TRUE(stream.synchronize());
    EXPECT_EQ(y, plus(x, 6));
  }
}

TEST_F(GpuContext, HostStepsAreNotCaptured) {
  const auto context = context_of(chain(true));
  const cuda::Stream stream = *cuda::Stream::create(*device_);
  const auto scope = device_->enter();
  std::vector<float> x = whole_numbers(20, 6);
  ASSERT_TRUE(context->set_input("x", ref(x)));
  ASSERT_TRUE(cuda::begin_capture(stream));
  const Result<> ran = context->run(stream.get());
  (void)cuda::end_capture(stream);
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().cause(),
            "the stream is being captured, and the engine has steps that run on the host");
}

TEST_F(GpuContext, StepsAreTimed) {
  const auto context = context_of(chain(true));
  std::vector<float> x = whole_numbers(20000, 7);
  ASSERT_TRUE(context->set_input("x", ref(x)));
  const auto times = context->profile();
  ASSERT_TRUE(times) << times.error().cause();
  std::string kinds;
  for (const StepTime& t : *times) {
    kinds += t.kind + " ";
    EXPECT_GT(t.milliseconds, 0) << t.name;
  }
  EXPECT_EQ(kinds, "kernel kernel kernel kernel copy host copy kernel copy kernel ");
  for (L2 l2 : {L2::warm, L2::flushed}) {
    const auto timings = context->time(5, l2);
    ASSERT_TRUE(timings) << timings.error().cause();
    ASSERT_EQ(timings->size(), 5u);
    for (const RunTime& t : *timings) EXPECT_GT(t.gpu_ms, 0);
    EXPECT_EQ(result(*context), plus(x, 7));
  }
}

TEST_F(GpuContext, ContextsOfOneEngineShareItsCodeAndRunAtOnce) {
  EngineContents contents;
  const auto* code = reinterpret_cast<const std::byte*>(add_one);
  contents.targets.push_back({.plan = chain(false), .code = {{code, code + sizeof(add_one)}}});
  const auto engine = *Engine::from_bytes(*engine_bytes(contents));
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      auto context = Context::create(engine, {.device = 0});
      ASSERT_TRUE(context);
      for (unsigned i = 0; i < 20; ++i) {
        std::vector<float> x = whole_numbers(1000 + 300 * (i % 3), t * 100 + i);
        ASSERT_TRUE((*context)->set_input("x", ref(x)));
        ASSERT_TRUE((*context)->run());
        ASSERT_EQ(result(**context), plus(x, 6));
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace burnish
