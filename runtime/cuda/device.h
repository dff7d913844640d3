#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "runtime/cuda/driver.h"

namespace burnish::cuda {

/// What a GPU is. Sizes in bytes.
struct DeviceInfo {
  int ordinal = 0;
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  int multiprocessors = 0;
  size_t total_memory = 0;
  size_t shared_per_block = 0;  ///< the most a kernel may ask for, after Kernel::allow_shared
  size_t shared_per_multiprocessor = 0;
  size_t l2_cache = 0;
  size_t persisting_l2 = 0;                 ///< of it, what may be set aside at most
  size_t most_window = 0;                   ///< bytes that one CacheWindow may span
  int clock_khz = 0, memory_clock_khz = 0;  ///< the highest
  int memory_bus_bits = 0;
  bool ecc = false;  ///< memory errors are corrected

  /// "sm_90".
  std::string architecture() const { return "sm_" + std::to_string(major * 10 + minor); }
};

/// A context made current on this thread for the scope's life; the one before it comes back after.
class [[nodiscard]] ContextScope {
 public:
  explicit ContextScope(const Driver* pushed) : pushed_(pushed) {}
  ContextScope(ContextScope&& other) noexcept : pushed_(std::exchange(other.pushed_, nullptr)) {}
  ContextScope& operator=(ContextScope&&) = delete;
  ~ContextScope();

 private:
  const Driver* pushed_;  ///< null: the context was current already, nothing to pop
};

/// A GPU and the context we use on it. Cheap to copy; the last copy gives the context back.
class Device {
 public:
  /// GPUs of this machine; errors as for Driver::get.
  static Result<int> count();

  /// What GPU `ordinal` is, or without an ordinal the one that `open` would open. It needs no context, which takes a while to make.
  static Result<DeviceInfo> describe(std::optional<int> ordinal = {});

  /// Opens GPU `ordinal`. Uses the context that is current on this thread if it is on that GPU, else retains the
  /// GPU's primary context. Without an ordinal: the current context's GPU, else GPU 0.
  /// Error invalid_argument when there is no such GPU; else as for Driver::get.
  static Result<Device> open(std::optional<int> ordinal = {});

  const DeviceInfo& info() const { return state_->info; }
  const Driver& driver() const { return *state_->driver; }
  CUcontext context() const { return state_->context; }

  /// Makes the context current on this thread. Objects of this folder enter by themselves when they are made and
  /// destroyed; work given to a stream needs the caller to have entered.
  Result<ContextScope> enter() const;

  /// Bytes of GPU memory that nobody uses now.
  Result<size_t> free_memory() const;

  /// Like Driver::check; a shortage of memory names the GPU and its free memory.
  Result<> check(CUresult result, const char* call) const;

 private:
  struct State {
    const Driver* driver = nullptr;
    CUdevice device = 0;
    CUcontext context = nullptr;
    bool retained = false;
    DeviceInfo info;
    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State();
  };
  explicit Device(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// "3.2 GiB", for messages.
std::string bytes_text(size_t bytes);

}  // namespace burnish::cuda
