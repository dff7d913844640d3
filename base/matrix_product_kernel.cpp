// Compiled once per instruction set (cmake/matrix_product.cmake). Eigen is header-only, so its inline functions would have
// one name in every build, and the linker would keep whichever it met first: AVX-512 code could then run on a processor
// without it. So each build renames Eigen's namespace (-DEigen=Eigen_avx2), and with it every such name.
#include "base/matrix_product_kernel.h"

#include <Eigen/Core>

namespace burnish::matrix_kernel {

namespace {

using Eigen::ColMajor;
using Eigen::Dynamic;
using Eigen::OuterStride;
using Eigen::RowMajor;

template <class T, int order>
auto map(const T* data, int64_t rows, int64_t columns, int64_t stride) {
  using Matrix = Eigen::Matrix<T, Dynamic, Dynamic, order>;
  return Eigen::Map<const Matrix, 0, OuterStride<>>(data, rows, columns, OuterStride<>(stride));
}

template <class T, class A, class B>
void multiply(const A& a, const B& b, T* c, int64_t c_row, bool accumulate) {
  using Matrix = Eigen::Matrix<T, Dynamic, Dynamic, RowMajor>;
  Eigen::Map<Matrix, 0, OuterStride<>> to(c, a.rows(), b.cols(), OuterStride<>(c_row));
  if (accumulate) to.noalias() += a * b;
  else to.noalias() = a * b;
}

template <class T>
void product(int64_t m, int64_t n, int64_t k, MatrixRef<T> a, MatrixRef<T> b, T* c, int64_t c_row,
             bool accumulate) {
  const auto rows = map<T, RowMajor>(a.data, m, k, a.row);
  if (b.column == 1) multiply(rows, map<T, RowMajor>(b.data, k, n, b.row), c, c_row, accumulate);
  else multiply(rows, map<T, ColMajor>(b.data, k, n, b.column), c, c_row, accumulate);
}

}  // namespace

#ifdef BURNISH_MATRIX_KERNEL
const Kernel<float> BURNISH_MATRIX_KERNEL = product<float>;
#else
const Kernel<float> baseline = product<float>;
const Kernel<double> f64 = product<double>;
#endif

}  // namespace burnish::matrix_kernel
