#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "base/deferred.h"
#include "base/dtype.h"

namespace burnish {

using Shape = std::vector<int64_t>;

/// Product of the extents; 1 for a scalar.
inline int64_t element_count(std::span<const int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape) count *= extent;
  return count;
}

/// A dense row-major tensor in host memory. Bytes are immutable and shared: with a mapped file, or with other tensors. They may be
/// made only when they are first read.
class Tensor {
 public:
  Tensor() = default;
  Tensor(DType dtype, Shape shape, std::shared_ptr<const std::byte> bytes,
         std::shared_ptr<Deferred> deferred = nullptr)
      : dtype_(dtype), shape_(std::move(shape)), bytes_(std::move(bytes)), deferred_(std::move(deferred)) {}

  /// Copies `values`; their count must be the shape's.
  template <class T>
  static Tensor of(DType dtype, Shape shape, std::span<const T> values) {
    Tensor tensor = zeros(dtype, std::move(shape));
    std::memcpy(tensor.writable(), values.data(), values.size_bytes());
    return tensor;
  }
  static Tensor zeros(DType dtype, Shape shape) {
    const size_t bytes = static_cast<size_t>(element_count(shape)) * size_of(dtype);
    auto block = std::shared_ptr<std::byte[]>(new std::byte[bytes ? bytes : 1]());
    return Tensor(dtype, std::move(shape), std::shared_ptr<const std::byte>(block, block.get()));
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t count() const { return element_count(shape_); }
  size_t byte_size() const { return static_cast<size_t>(count()) * size_of(dtype_); }
  const std::byte* bytes() const {
    if (deferred_) deferred_->complete();
    return bytes_.get();
  }
  /// The same, made on all threads if they are not there yet.
  const std::byte* bytes(ThreadPool& pool) const {
    if (deferred_) deferred_->complete(pool);
    return bytes_.get();
  }
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(bytes());
  }
  /// Where the bytes are, or will be: the same for tensors that share them.
  const std::shared_ptr<const std::byte>& storage() const { return bytes_; }
  /// The same values, as many, in another shape.
  Tensor reshaped(Shape shape) const { return Tensor(dtype_, std::move(shape), bytes_, deferred_); }
  /// For the one who has just made it with `zeros` and not shared it yet.
  std::byte* writable() { return const_cast<std::byte*>(bytes_.get()); }

 private:
  DType dtype_ = DType::f32;
  Shape shape_;
  std::shared_ptr<const std::byte> bytes_;
  std::shared_ptr<Deferred> deferred_;  // null: the bytes are there
};

/// A dense row-major tensor somewhere in host memory that somebody else owns. `bytes` may be null when count() is 0.
struct TensorView {
  DType dtype = DType::f32;
  Shape shape;
  std::byte* bytes = nullptr;

  int64_t count() const { return element_count(shape); }
  size_t byte_size() const { return static_cast<size_t>(count()) * size_of(dtype); }
  int rank() const { return static_cast<int>(shape.size()); }
  template <class T>
  T* data() const {
    return reinterpret_cast<T*>(bytes);
  }
};

}  // namespace burnish
