#pragma once

#include <cstddef>

#include "runtime/cuda/cache_window.h"
#include "runtime/cuda/handle.h"

namespace burnish::cuda {

/// A point in a stream's work.
class Event {
 public:
  enum class Timing { off, on };     ///< an event without timing costs the GPU less
  enum class Wait { any, blocked };  ///< as the driver likes, or leaving the core to others

  static Result<Event> create(const Device& device, Timing timing = Timing::off, Wait wait = Wait::any);

  CUevent get() const { return event_.get(); }

  /// Waits on the CPU until the work before the event is done.
  Result<> synchronize() const;

  /// Milliseconds from `start` to this event; both with timing, both done.
  Result<float> milliseconds_since(const Event& start) const;

 private:
  explicit Event(Handle<CUevent> event) : event_(std::move(event)) {}
  Handle<CUevent> event_;
};

/// A queue of GPU work: our own, or the caller's. All calls need the device entered, and the memory they name to
/// live until the work is done. Zero bytes are no work.
class Stream {
 public:
  /// A stream of our own, unordered with the default stream.
  static Result<Stream> create(const Device& device);
  /// The caller's stream (null: the default stream), not destroyed by us.
  static Stream borrow(const Device& device, CUstream stream) { return Stream(device, stream, {}); }

  CUstream get() const { return stream_; }
  const Device& device() const { return device_; }

  /// Waits on the CPU until all work is done; an error of that work shows here.
  Result<> synchronize() const;

  /// Whether work goes into a graph that somebody captures instead of running.
  Result<bool> is_capturing() const;

  Result<> record(const Event& event) const;
  /// Later work waits for what `event` was last recorded after.
  Result<> wait(const Event& event) const;

  Result<> upload(CUdeviceptr to, const void* from, size_t bytes) const;
  Result<> download(void* to, CUdeviceptr from, size_t bytes) const;
  Result<> copy(CUdeviceptr to, CUdeviceptr from, size_t bytes) const;
  Result<> fill(CUdeviceptr to, unsigned char value, size_t bytes) const;

  /// Kernels launched from now on treat accesses to `window` so.
  Result<> set_cache_window(const CacheWindow& window) const;

 private:
  Stream(Device device, CUstream stream, Handle<CUstream> owned)
      : device_(std::move(device)), stream_(stream), owned_(std::move(owned)) {}
  Device device_;
  CUstream stream_;
  Handle<CUstream> owned_;
};

}  // namespace burnish::cuda
