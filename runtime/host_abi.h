#pragma once

#include <cstddef>
#include <cstdint>

// What crosses between libburnish_runtime.so and libburnish_host.so: plain C, so that neither needs to be built like the
// other.

namespace burnish {

extern "C" {

/// A dense row-major tensor in host memory. f16 and bf16 are allowed. `bytes` is never null where rank >= 0.
struct HostTensor {
  uint32_t dtype;  // DType
  int32_t rank;    // or one of the two below
  const int64_t* shape;
  void* bytes;
};
constexpr int32_t host_tensor_absent = -1;  // operand left out
constexpr int32_t host_tensor_late = -2;    // output whose extents the call finds: ask `allocate` for it

/// How a call reports and asks; `user` comes first in each.
struct HostCallbacks {
  void* user;
  /// Memory for late output `output` of these extents; null: stop, the runtime knows why.
  void* (*allocate)(void* user, uint32_t output, int32_t rank, const int64_t* shape);
  /// Says why a function is about to return null or nonzero. `code` is a Code; texts are copied.
  void (*fail)(void* user, int32_t code, const char* cause, const char* remedy);
};

struct HostProviderTable {
  /// Parses the text of a HostCall. Null after `fail`.
  void* (*prepare)(const char* text, size_t bytes, const HostCallbacks* callbacks);
  void (*release)(void* call);
  /// Threads for calls; 0: one per core. Null after `fail`.
  void* (*make_pool)(int32_t threads, const HostCallbacks* callbacks);
  void (*free_pool)(void* pool);
  /// 0, or nonzero after `fail` or a null from `allocate`. A call may run in many threads at once, each with its own pool.
  int32_t (*run)(const void* call, void* pool, const HostTensor* inputs, uint32_t input_count,
                 const HostTensor* outputs, uint32_t output_count, const HostCallbacks* callbacks);
};

constexpr uint32_t host_abi_version = 1;
/// The one entry of libburnish_host.so, named `burnish_host_provider`: null when it does not have this version.
using HostProviderEntry = const HostProviderTable* (*)(uint32_t version);
}

}  // namespace burnish
