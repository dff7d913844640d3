#pragma once

#include <string>

#include "base/tensor.h"
#include "plan/plan.h"

namespace burnish {

/// A dense tensor in somebody's memory: row-major, or in the order of the port it is for.
struct TensorRef {
  DType dtype = DType::f32;
  Shape shape;
  void* data = nullptr;
  size_t bytes = 0;  // room at data
  Space space = Space::host;
};

/// Error invalid_argument unless `tensor` may be bound to input `port`: type, rank, extents within range, room. Null data is
/// taken: a tensor of which only the shape is known.
Result<> check_input(const Port& port, const TensorRef& tensor);
/// Error invalid_argument unless outputs of this type may be written there. The room is checked when the extents are known.
Result<> check_output(const Port& port, const TensorRef& tensor);

/// Bytes of a tensor; error invalid_argument when they are too many for any memory.
Result<size_t> byte_count(DType dtype, std::span<const int64_t> shape);
/// Whether there are no elements.
bool is_empty(std::span<const int64_t> shape);
/// "3x4 f32", "scalar i64".
std::string text_of(DType dtype, std::span<const int64_t> shape);

}  // namespace burnish
