#include "base/matrix_product.h"

#include <algorithm>
#include <vector>

#include "base/matrix_product_kernel.h"

namespace burnish {

namespace {

matrix_kernel::Kernel<float> best_kernel() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return matrix_kernel::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return matrix_kernel::avx2;
#endif
  return matrix_kernel::baseline;
}

template <class T>
matrix_kernel::Kernel<T> kernel() {
  if constexpr (sizeof(T) == sizeof(float)) {
    static const matrix_kernel::Kernel<float> best = best_kernel();
    return best;
  } else {
    return matrix_kernel::f64;
  }
}

template <class T>
MatrixRef<T> dense_rows(ThreadPool& pool, MatrixRef<T> x, int64_t rows, int64_t columns,
                        std::vector<T>& copy) {
  if (x.column == 1 && (x.row >= columns || rows == 1)) return {x.data, std::max(x.row, columns), 1};
  if (columns == 1 && x.row > 0) return {x.data, x.row, 1};
  copy.resize(static_cast<size_t>(rows * columns));
  pool.parallel_for(rows, (1 << 14) / (columns + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = 0; j < columns; ++j)
        copy[static_cast<size_t>(i * columns + j)] = x.data[i * x.row + j * x.column];
  });
  return {copy.data(), columns, 1};
}

// The kernel wants one stride of b to be 1 and the other to be a leading dimension; a copy where that is not so.
template <class T>
MatrixRef<T> with_unit_stride(ThreadPool& pool, MatrixRef<T> x, int64_t rows, int64_t columns,
                              std::vector<T>& copy) {
  if (x.row == 1 && (x.column >= rows || columns == 1)) return {x.data, 1, std::max(x.column, rows)};
  if (rows == 1 && x.column > 0) return {x.data, 1, x.column};
  return dense_rows(pool, x, rows, columns, copy);
}

int64_t pieces(int64_t extent, int64_t most) { return (extent + most - 1) / most; }

template <class T>
void blocked_product(ThreadPool& pool, int64_t m, int64_t n, int64_t k, MatrixRef<T> a, MatrixRef<T> b, T* c,
                     int64_t c_row, bool accumulate) {
  if (m == 0 || n == 0) return;
  if (k == 0) {
    for (int64_t i = 0; i < m && !accumulate; ++i) std::fill_n(c + i * c_row, n, T(0));
    return;
  }
  std::vector<T> a_copy, b_copy;
  a = dense_rows(pool, a, m, k, a_copy);
  b = with_unit_stride(pool, b, k, n, b_copy);
  const matrix_kernel::Kernel<T> run = kernel<T>();
  // Each block packs its own panels, which costs 1/rows + 1/columns of the work: blocks are as large as keeps every
  // thread busy, and of whole registers.
  constexpr int64_t small = 48;
  int64_t rows = m, columns = n;
  if (pool.size() > 1 && m * n * k > (int64_t{1} << 18)) {
    while (pieces(m, rows) * pieces(n, columns) < 3 * pool.size() && std::max(rows, columns) >= 2 * small)
      (rows > columns ? rows : columns) = (std::max(rows, columns) / 2 + small - 1) / small * small;
  }
  const int64_t across = pieces(n, columns);
  pool.parallel_for(pieces(m, rows) * across, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t i = block / across * rows, j = block % across * columns;
      run(std::min(rows, m - i), std::min(columns, n - j), k, {a.data + i * a.row, a.row, a.column},
          {b.data + j * b.column, b.row, b.column}, c + i * c_row + j, c_row, accumulate);
    }
  });
}

}  // namespace

void matrix_product(ThreadPool& pool, int64_t m, int64_t n, int64_t k, MatrixRef<float> a, MatrixRef<float> b,
                    float* c, int64_t c_row, bool accumulate) {
  blocked_product(pool, m, n, k, a, b, c, c_row, accumulate);
}

void matrix_product(ThreadPool& pool, int64_t m, int64_t n, int64_t k, MatrixRef<double> a,
                    MatrixRef<double> b, double* c, int64_t c_row, bool accumulate) {
  blocked_product(pool, m, n, k, a, b, c, c_row, accumulate);
}

}  // namespace burnish
