#pragma once

#include <optional>
#include <utility>

#include "runtime/cuda/device.h"

namespace burnish::cuda {

/// A driver object together with its device: destroyed in the device's context; movable, never copied.
template <class T>
class Handle {
 public:
  using Destroy = CUresult (*)(T);

  Handle() = default;
  Handle(Device device, T object, Destroy destroy)
      : device_(std::move(device)), object_(object), destroy_(destroy) {}
  Handle(Handle&& other) noexcept
      : device_(std::exchange(other.device_, std::nullopt)),
        object_(std::exchange(other.object_, T{})),
        destroy_(other.destroy_) {}
  Handle& operator=(Handle&& other) noexcept {
    Handle moved(std::move(other));
    std::swap(device_, moved.device_);
    std::swap(object_, moved.object_);
    std::swap(destroy_, moved.destroy_);
    return *this;
  }
  ~Handle() {
    if (object_ == T{}) return;
    // A context that is gone (its owner ended it, the process is ending) took the object with it.
    if (const Result<ContextScope> scope = device_->enter()) destroy_(object_);
  }

  T get() const { return object_; }
  const Device& device() const { return *device_; }

 private:
  std::optional<Device> device_;
  T object_{};
  Destroy destroy_ = nullptr;
};

}  // namespace burnish::cuda
