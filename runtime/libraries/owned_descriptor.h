#pragma once

#include <utility>

namespace burnish {

/// A descriptor of a library, destroyed with its owner.
template <class Descriptor>
class OwnedDescriptor {
 public:
  OwnedDescriptor() = default;
  OwnedDescriptor(Descriptor descriptor, int (*destroy)(Descriptor))
      : descriptor_(descriptor), destroy_(destroy) {}
  OwnedDescriptor(OwnedDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, nullptr)), destroy_(other.destroy_) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(destroy_, other.destroy_);
    return *this;
  }
  ~OwnedDescriptor() {
    if (descriptor_) destroy_(descriptor_);
  }
  Descriptor get() const { return descriptor_; }

 private:
  Descriptor descriptor_ = nullptr;
  int (*destroy_)(Descriptor) = nullptr;
};

}  // namespace burnish
