#include "runtime/tensor_ref.h"

#include <algorithm>

namespace burnish {

namespace {

std::string axis_of(const Port& port, size_t axis) {
  return "input '" + port.name + "' axis " + std::to_string(axis);
}

std::string declared(const Port& port) {
  std::string text = "[";
  for (const Port::Axis& axis : port.axes) text += (text.size() > 1 ? ", " : "") + axis.text;
  text += "]";
  for (size_t k = 0; k < port.order.size(); ++k)
    text += (k == 0 ? " with axes in memory in the order " : ", ") + std::to_string(port.order[k]);
  return text;
}

Error wrong(const Port& port, std::string what) {
  return Error(Code::invalid_argument, std::move(what))
      .remedy("the engine takes '" + port.name + "' as " + std::string(name_of(port.dtype)) + " " +
              declared(port));
}

Result<> check_axis(const Port& port, size_t axis, int64_t extent) {
  const auto& [slot, binds, least, most, text] = port.axes[axis];
  if (extent >= least && extent <= most) return {};
  std::string allowed;
  if (least == most) allowed = std::to_string(least);
  else if (most >= DimTable::unbounded) allowed = "at least " + std::to_string(least);
  else allowed = "from " + std::to_string(least) + " to " + std::to_string(most);
  return wrong(port, axis_of(port, axis) + " must be " + allowed + ", got " + std::to_string(extent));
}

Result<> check_place(const std::string& what, const TensorRef& tensor) {
  if (tensor.space == Space::host && reinterpret_cast<uintptr_t>(tensor.data) % size_of(tensor.dtype) != 0)
    return Error(Code::invalid_argument, what + " does not begin at a multiple of its element size")
        .remedy("pass memory that is aligned to " + std::to_string(size_of(tensor.dtype)) + " bytes");
  return {};
}

}  // namespace

std::string text_of(DType dtype, std::span<const int64_t> shape) {
  std::string text;
  for (int64_t extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return (text.empty() ? "scalar" : text) + " " + std::string(name_of(dtype));
}

Result<size_t> byte_count(DType dtype, std::span<const int64_t> shape) {
  // An extent of zero hides no others: strides are computed from them too.
  constexpr int64_t most = int64_t{1} << 48;
  int64_t bytes = static_cast<int64_t>(size_of(dtype)), count = 1;
  for (int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(bytes, std::max<int64_t>(extent, 1), &bytes) || bytes > most)
      return Error(Code::invalid_argument,
                   "a tensor of " + text_of(dtype, shape) + " is too large or has a negative extent")
          .remedy("give extents whose product fits into memory");
    count *= extent;
  }
  return static_cast<size_t>(count) * size_of(dtype);
}

bool is_empty(std::span<const int64_t> shape) { return std::ranges::find(shape, 0) != shape.end(); }

Result<> check_input(const Port& port, const TensorRef& tensor) {
  if (tensor.dtype != port.dtype)
    return wrong(port, "input '" + port.name + "' must be " + std::string(name_of(port.dtype)) + ", got " +
                           std::string(name_of(tensor.dtype)));
  if (tensor.shape.size() != port.axes.size())
    return wrong(port, "input '" + port.name + "' must have " + std::to_string(port.axes.size()) +
                           " axes, got " + std::to_string(tensor.shape.size()));
  for (size_t axis = 0; axis < port.axes.size(); ++axis) TRY(check_axis(port, axis, tensor.shape[axis]));
  const size_t bytes =
      TRY(byte_count(tensor.dtype, tensor.shape).during("binding input '" + port.name + "'"));
  if (tensor.data == nullptr) return {};  // the shape alone; a run asks for the rest
  if (tensor.bytes < bytes)
    return Error(Code::invalid_argument,
                 "input '" + port.name + "' of " + text_of(tensor.dtype, tensor.shape) + " needs " +
                     std::to_string(bytes) + " bytes, got " + std::to_string(tensor.bytes))
        .remedy("pass the whole tensor, and its size in bytes");
  return check_place("input '" + port.name + "'", tensor);
}

Result<> check_output(const Port& port, const TensorRef& tensor) {
  if (tensor.dtype != port.dtype)
    return Error(Code::invalid_argument, "output '" + port.name + "' is " + std::string(name_of(port.dtype)) +
                                             ", and memory for " + std::string(name_of(tensor.dtype)) +
                                             " was given")
        .remedy("give memory for " + std::string(name_of(port.dtype)));
  return check_place("output '" + port.name + "'", tensor);
}

}  // namespace burnish
