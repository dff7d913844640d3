// The kernel of snake.cpp as PTX, which the driver compiles for the GPU that is there: no toolkit is needed to build this
// library. One that is compiled by nvcc launches its kernel as usual, with <<<…>>> on the stream.
#pragma once

#include <dlfcn.h>

#include <cstdint>

namespace snake {

inline const char* const ptx = R"(
.version 7.0
.target sm_70
.address_size 64

// y[i] = x[i] + sin(a * x[i])^2 / (a + epsilon), a = alpha[i / inner % channels]
.visible .entry snake(.param .u64 px, .param .u64 palpha, .param .u64 py, .param .u64 pcount, .param .u64 pinner,
                      .param .u64 pchannels, .param .f32 pepsilon) {
  .reg .pred %done;
  .reg .b32 %t, %n, %b;
  .reg .b64 %x, %alpha, %y, %count, %inner, %channels, %i, %c, %at, %grid;
  .reg .f32 %epsilon, %v, %a, %s, %d, %k;
  ld.param.u64 %x, [px];
  ld.param.u64 %alpha, [palpha];
  ld.param.u64 %y, [py];
  ld.param.u64 %count, [pcount];
  ld.param.u64 %inner, [pinner];
  ld.param.u64 %channels, [pchannels];
  ld.param.f32 %epsilon, [pepsilon];
  cvta.to.global.u64 %x, %x;
  cvta.to.global.u64 %alpha, %alpha;
  cvta.to.global.u64 %y, %y;
  mov.u32 %t, %tid.x;
  mov.u32 %n, %ntid.x;
  mov.u32 %b, %ctaid.x;
  cvt.u64.u32 %i, %t;
  mad.wide.u32 %i, %b, %n, %i;
  mov.u32 %b, %nctaid.x;
  mul.wide.u32 %grid, %b, %n;
NEXT:
  setp.ge.u64 %done, %i, %count;
  @%done bra END;
  shl.b64 %at, %i, 2;
  add.u64 %c, %x, %at;
  ld.global.f32 %v, [%c];
  div.u64 %c, %i, %inner;
  rem.u64 %c, %c, %channels;
  shl.b64 %c, %c, 2;
  add.u64 %c, %alpha, %c;
  ld.global.f32 %a, [%c];
  mul.f32 %s, %a, %v;
  mul.f32 %k, %s, 0f3EA2F983;         // sin^2 has the period pi, and sin.approx is good near 0:
  cvt.rni.f32.f32 %k, %k;
  fma.rn.f32 %s, %k, 0fC0490FDB, %s;  // less the nearest multiple of pi,
  fma.rn.f32 %s, %k, 0f33BBBD2E, %s;  // which is not quite its FP32
  sin.approx.f32 %s, %s;
  mul.f32 %s, %s, %s;
  add.f32 %d, %a, %epsilon;
  div.rn.f32 %s, %s, %d;
  add.f32 %v, %v, %s;
  add.u64 %c, %y, %at;
  st.global.f32 [%c], %v;
  add.u64 %i, %i, %grid;
  bra NEXT;
END:
  ret;
}
)";

/// The kernel in the CUDA context in which it was loaded. The driver is opened, not linked, so that the library loads
/// where there is no GPU.
class Kernel {
 public:
  ~Kernel() {
    if (module_) unload_(module_);
  }

  /// Null, or why it cannot be launched.
  const char* load() {
    void* driver = dlopen("libcuda.so.1", RTLD_NOW);
    if (!driver) return "there is no NVIDIA driver";
    const auto load = reinterpret_cast<int (*)(void**, const void*)>(dlsym(driver, "cuModuleLoadData"));
    const auto find =
        reinterpret_cast<int (*)(void**, void*, const char*)>(dlsym(driver, "cuModuleGetFunction"));
    unload_ = reinterpret_cast<int (*)(void*)>(dlsym(driver, "cuModuleUnload"));
    launch_ = reinterpret_cast<decltype(launch_)>(dlsym(driver, "cuLaunchKernel"));
    if (!load || !find || !unload_ || !launch_) return "the NVIDIA driver lacks a function";
    if (load(&module_, ptx) != 0) return "the driver does not compile the kernel";
    return find(&function_, module_, "snake") == 0 ? nullptr : "there is no kernel in the module";
  }

  /// Null, or why it was not launched.
  const char* launch(void* stream, void* x, void* alpha, void* y, int64_t count, int64_t inner,
                     int64_t channels, float epsilon) {
    constexpr int64_t block = 256, most_blocks = 65535;
    const int64_t blocks = (count + block - 1) / block;
    void* arguments[] = {&x, &alpha, &y, &count, &inner, &channels, &epsilon};
    const auto grid = static_cast<unsigned>(blocks < most_blocks ? blocks : most_blocks);
    if (grid == 0) return nullptr;
    return launch_(function_, grid, 1, 1, block, 1, 1, 0, stream, arguments, nullptr) == 0
               ? nullptr
               : "the launch fails";
  }

 private:
  void *module_ = nullptr, *function_ = nullptr;
  int (*unload_)(void*) = nullptr;
  int (*launch_)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**,
                 void**) = nullptr;
};

}  // namespace snake
