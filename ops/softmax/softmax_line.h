#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace burnish {

/// y = softmax of the `count` elements of x, `step` apart in both; y may be x. A line that holds NaN or +inf, or nothing but
/// -inf, becomes NaN throughout.
template <class T>
void softmax_line(const T* x, T* y, int64_t count, int64_t step) {
  T most = -std::numeric_limits<T>::infinity();
  for (int64_t i = 0; i < count; ++i) most = std::max(most, x[i * step]);
  double sum = 0;  // a NaN in the line makes it NaN, and with it the whole line
  for (int64_t i = 0; i < count; ++i) sum += y[i * step] = std::exp(x[i * step] - most);
  const T scale = static_cast<T>(1 / sum);
  for (int64_t i = 0; i < count; ++i) y[i * step] *= scale;
}

}  // namespace burnish
