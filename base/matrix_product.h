#pragma once

#include <cstdint>

#include "base/parallel.h"

namespace burnish {

/// A matrix somewhere in memory: element (i, j) is data[i * row + j * column]; any strides.
template <class T>
struct MatrixRef {
  const T* data;
  int64_t row;
  int64_t column;
};

/// c[i * c_row + j] = Σ_k a(i, k) * b(k, j), or += with `accumulate`; a is m×k, b k×n, c m×n with adjacent columns.
/// c overlaps neither a nor b. Uses the widest vectors of this processor; sums are rounded in an order that depends on them.
void matrix_product(ThreadPool& pool, int64_t m, int64_t n, int64_t k, MatrixRef<float> a, MatrixRef<float> b,
                    float* c, int64_t c_row, bool accumulate = false);
void matrix_product(ThreadPool& pool, int64_t m, int64_t n, int64_t k, MatrixRef<double> a,
                    MatrixRef<double> b, double* c, int64_t c_row, bool accumulate = false);

}  // namespace burnish
