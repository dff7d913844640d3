#pragma once

#include "base/tensor.h"

namespace burnish {

/// A tensor of any values, for one who writes all of them: its memory is first touched, which is what takes time, by the threads
/// that write it.
inline Tensor unwritten_tensor(DType dtype, Shape shape) {
  const size_t bytes = static_cast<size_t>(element_count(shape)) * size_of(dtype);
  const std::shared_ptr<std::byte[]> block(new std::byte[bytes ? bytes : 1]);
  return Tensor(dtype, std::move(shape), std::shared_ptr<const std::byte>(block, block.get()));
}

}  // namespace burnish
