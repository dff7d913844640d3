#include "base/matrix_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace burnish {
namespace {

struct Case {
  int64_t m, n, k;
};

// Sums in long double, one element at a time.
template <class T>
void check(Case s, bool a_by_columns, bool b_by_columns, int64_t spread, bool accumulate) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> real(-1, 1);
  std::vector<T> a(static_cast<size_t>(s.m * s.k * spread)), b(static_cast<size_t>(s.k * s.n * spread));
  for (T& x : a) x = static_cast<T>(real(random));
  for (T& x : b) x = static_cast<T>(real(random));
  const MatrixRef<T> ar = a_by_columns ? MatrixRef<T>{a.data(), spread, s.m * spread}
                                       : MatrixRef<T>{a.data(), s.k * spread, spread};
  const MatrixRef<T> br = b_by_columns ? MatrixRef<T>{b.data(), spread, s.k * spread}
                                       : MatrixRef<T>{b.data(), s.n * spread, spread};
  const int64_t c_row = s.n + 3;
  const T before = accumulate ? T(2) : std::numeric_limits<T>::quiet_NaN();
  std::vector<T> c(static_cast<size_t>(s.m * c_row), before);
  ThreadPool pool(2);
  matrix_product(pool, s.m, s.n, s.k, ar, br, c.data(), c_row, accumulate);
  for (int64_t i = 0; i < s.m; ++i)
    for (int64_t j = 0; j < c_row; ++j) {
      const T got = c[static_cast<size_t>(i * c_row + j)];
      if (j >= s.n) {  // between the rows nothing may be written
        ASSERT_EQ(std::isnan(got), !accumulate);
        continue;
      }
      long double sum = accumulate ? 2 : 0;
      for (int64_t k = 0; k < s.k; ++k)
        sum += static_cast<long double>(ar.data[i * ar.row + k * ar.column]) *
               br.data[k * br.row + j * br.column];
      ASSERT_NEAR(got, static_cast<double>(sum),
                  4 * std::numeric_limits<T>::epsilon() * static_cast<double>(s.k + 4))
          << s.m << "x" << s.n << "x" << s.k << " at " << i << ", " << j;
    }
}

TEST(MatrixProduct, AnyShapeAndStride) {
  for (Case s :
       {Case{1, 1, 1}, {3, 5, 7}, {1, 130, 33}, {130, 1, 33}, {200, 150, 64}, {97, 301, 1}, {4, 4, 0}})
    for (int order = 0; order < 4; ++order)
      for (int64_t spread : {1, 2}) {
        check<float>(s, order & 1, order & 2, spread, false);
        check<float>(s, order & 1, order & 2, spread, true);
        check<double>(s, order & 1, order & 2, spread, true);
      }
}

TEST(MatrixProduct, RepeatedRowsAndColumns) {
  const std::vector<float> a{1, 2, 3}, b{4, 5};
  std::vector<float> c(6, -1);
  ThreadPool pool(1);
  matrix_product(pool, 3, 2, 2, MatrixRef<float>{a.data(), 1, 0}, MatrixRef<float>{b.data(), 0, 1}, c.data(),
                 2);
  EXPECT_EQ(c, (std::vector<float>{8, 10, 16, 20, 24, 30}));
}

}  // namespace
}  // namespace burnish
