#pragma once

#include <type_traits>

#include "base/dtype.h"
#include "base/matrix_product.h"

namespace burnish {

/// c = a·b for any arithmetic type; integers wrap. See matrix_product.
template <class T>
void product(ThreadPool& pool, int64_t m, int64_t n, int64_t k, MatrixRef<T> a, MatrixRef<T> b, T* c,
             int64_t c_row) {
  if constexpr (std::is_floating_point_v<T>) {
    matrix_product(pool, m, n, k, a, b, c, c_row);
  } else {
    using U = std::make_unsigned_t<T>;
    pool.parallel_for(m, (1 << 14) / (n * k + 1) + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        for (int64_t j = 0; j < n; ++j) {
          U sum = 0;
          for (int64_t l = 0; l < k; ++l)
            sum = static_cast<U>(sum + static_cast<U>(a.data[i * a.row + l * a.column]) *
                                           static_cast<U>(b.data[l * b.row + j * b.column]));
          c[i * c_row + j] = static_cast<T>(sum);
        }
    });
  }
}

/// Calls f with a null pointer of the element type; false where products are not defined on `dtype`.
template <class F>
bool visit_product_type(DType dtype, const F& f) {
  switch (dtype) {
    case DType::f32: f(static_cast<float*>(nullptr)); return true;
    case DType::f64: f(static_cast<double*>(nullptr)); return true;
    case DType::i32: f(static_cast<int32_t*>(nullptr)); return true;
    case DType::i64: f(static_cast<int64_t*>(nullptr)); return true;
    case DType::u32: f(static_cast<uint32_t*>(nullptr)); return true;
    case DType::u64: f(static_cast<uint64_t*>(nullptr)); return true;
    default: return false;
  }
}

/// Element types that MatMul and Gemm take.
inline bool is_product_type(DType t) { return is_float(t) || size_of(t) >= 4; }

}  // namespace burnish
