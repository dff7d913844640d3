#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "runtime/cuda/stream.h"

namespace burnish::cuda {

/// A kernel ready to launch. A plain value, good as long as its Module lives.
struct Kernel {
  CUfunction function = nullptr;
  std::string name;  ///< for messages
  int registers = 0;
  int spilled_bytes = 0;  ///< local memory per thread
  int static_shared = 0;  ///< bytes per block
  int max_threads = 0;    ///< per block

  /// Lets launches ask for up to `bytes` of dynamic shared memory (48 KiB need no asking).
  Result<> allow_shared(const Device& device, size_t bytes) const;
};

/// The extents of a launch.
struct LaunchShape {
  std::array<uint32_t, 3> grid = {1, 1, 1};   ///< blocks: x, y, z
  std::array<uint32_t, 3> block = {1, 1, 1};  ///< threads of a block: x, y, z
  uint32_t shared_bytes = 0;                  ///< dynamic shared memory of a block

  uint64_t blocks() const { return uint64_t{grid[0]} * grid[1] * grid[2]; }
  /// No block or no thread: nothing to do.
  bool empty() const;
  /// "grid 4x1x1, block 256x1x1, 0 bytes of shared memory".
  std::string text() const;
};

/// Dynamic shared memory for so many blocks of a kernel that starts early and uses `used` bytes of it. Such blocks are placed where
/// there is room, two to a multiprocessor while others idle: where each could have one of its own, they ask for so much that only
/// small blocks find room beside one.
uint32_t early_shared_bytes(const DeviceInfo& device, const Kernel& kernel, uint32_t used, uint64_t blocks);

/// Device code loaded into a context.
class Module {
 public:
  /// Loads a cubin, or PTX text with its final zero, for the GPU. `name` says in errors whose code it is.
  /// Error incompatible_engine when the code is for another GPU.
  static Result<Module> load(const Device& device, const void* image, const std::string& name);

  /// The kernel `symbol`, loaded now and not at its first launch, which may come during a capture.
  Result<Kernel> kernel(const std::string& symbol) const;

 private:
  Module(Handle<CUmodule> module, std::string name) : module_(std::move(module)), name_(std::move(name)) {}
  Handle<CUmodule> module_;
  std::string name_;
};

/// Puts a kernel on a stream; an empty shape launches nothing. `arguments` points at the argument values, one
/// pointer each, copied before this returns. Needs the device entered.
Result<> launch(const Stream& stream, const Kernel& kernel, const LaunchShape& shape,
                std::span<void* const> arguments);

}  // namespace burnish::cuda
