#pragma once

#include <cstdint>

#include "base/matrix_product.h"

namespace burnish::matrix_kernel {

/// c = a·b (+ c) on one thread. The rows of `a` are dense; one stride of `b` is 1.
template <class T>
using Kernel = void (*)(int64_t m, int64_t n, int64_t k, MatrixRef<T> a, MatrixRef<T> b, T* c, int64_t c_row,
                        bool accumulate);

// One per build of matrix_product_kernel.cpp. Doubles are rare: they have one for every processor.
extern const Kernel<float> baseline, avx2, avx512;
extern const Kernel<double> f64;

}  // namespace burnish::matrix_kernel
