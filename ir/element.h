#pragma once

#include "base/half.h"
#include "base/tensor.h"

namespace burnish {

/// Calls f with a null pointer of the C++ storage type of `dtype`: `visit_storage(t, [&]<class T>(T*) { … })`.
template <class F>
decltype(auto) visit_storage(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32: return f(static_cast<float*>(nullptr));
    case DType::f16: return f(static_cast<half*>(nullptr));
    case DType::bf16: return f(static_cast<bfloat16*>(nullptr));
    case DType::f64: return f(static_cast<double*>(nullptr));
    case DType::i8: return f(static_cast<int8_t*>(nullptr));
    case DType::i16: return f(static_cast<int16_t*>(nullptr));
    case DType::i32: return f(static_cast<int32_t*>(nullptr));
    case DType::i64: return f(static_cast<int64_t*>(nullptr));
    case DType::u8: return f(static_cast<uint8_t*>(nullptr));
    case DType::u16: return f(static_cast<uint16_t*>(nullptr));
    case DType::u32: return f(static_cast<uint32_t*>(nullptr));
    case DType::u64: return f(static_cast<uint64_t*>(nullptr));
    case DType::boolean: break;
  }
  return f(static_cast<bool*>(nullptr));
}

/// Element i of an integer or bool tensor.
inline int64_t integer_element(DType dtype, const void* bytes, int64_t i) {
  return visit_storage(dtype, [&]<class T>(T*) -> int64_t {
    if constexpr (std::is_integral_v<T>) return static_cast<int64_t>(static_cast<const T*>(bytes)[i]);
    else return 0;
  });
}
inline int64_t integer_element(const Tensor& tensor, int64_t i) {
  return integer_element(tensor.dtype(), tensor.bytes(), i);
}

}  // namespace burnish
