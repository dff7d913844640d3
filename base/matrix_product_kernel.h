#pragma once

#include <cstdint>

#include "base/matrix_product.h"

namespace burnish::matrix_kernel {

/// c = a·b (+ c) on one thread; of each operand one stride is 1.
template <class T>
using Kernel = void (*)(int64_t m, int64_t n, int64_t k, MatrixRef<T> a, MatrixRef<T> b, T* c, int64_t c_row,
                        bool accumulate);

struct Kernels {
  Kernel<float> f32;
  Kernel<double> f64;
};

// One per build of matrix_product_kernel.cpp.
extern const Kernels baseline, avx2, avx512;

}  // namespace burnish::matrix_kernel
