#pragma once

#include "base/tensor.h"

namespace burnish {

/// A tensor whose values `write` makes when they are first read. What nobody reads costs nothing, and several can be made at
/// once, each by a thread that first touches its memory, which is what takes time.
inline Tensor deferred_tensor(DType dtype, Shape shape, Deferred::Write write) {
  const size_t bytes = static_cast<size_t>(element_count(shape)) * size_of(dtype);
  const std::shared_ptr<std::byte[]> block(new std::byte[bytes ? bytes : 1]);
  return Tensor(dtype, std::move(shape), {block, block.get()},
                std::make_shared<Deferred>(block.get(), std::move(write)));
}

}  // namespace burnish
