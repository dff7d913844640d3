#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/result.h"

namespace burnish {

/// A piece of host memory that only grows, 256-byte aligned. Its bytes are undefined until written.
class HostBlock {
 public:
  /// Grows to at least `bytes`; then address and content change. After it the address is never null, even for 0 bytes.
  Result<> reserve(size_t bytes) {
    if (bytes <= size_ && data_) return {};
    constexpr size_t alignment = 256;
    const size_t rounded = (bytes / alignment + 1) * alignment;
    data_.reset();  // first, so that both are never held at once
    size_ = 0;
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, rounded)));
    if (!data_)
      return Error(Code::out_of_memory, "out of host memory: " + std::to_string(bytes) + " bytes are needed")
          .remedy("run with smaller inputs");
    size_ = rounded;
    return {};
  }
  std::byte* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> data_;
  size_t size_ = 0;
};

}  // namespace burnish
