#include "tuner/difference.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/half.h"

namespace burnish {

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

double number(float x) { return x; }
double number(double x) { return x; }
double number(half x) { return to_float(x); }
double number(bfloat16 x) { return to_float(x); }

template <class T>
double difference_of(std::span<const std::byte> values, std::span<const std::byte> expected) {
  double difference = 0, norm = 0;
  for (size_t at = 0; at + sizeof(T) <= values.size(); at += sizeof(T)) {
    T x, y;
    std::memcpy(&x, values.data() + at, sizeof(T));
    std::memcpy(&y, expected.data() + at, sizeof(T));
    const double a = number(x), b = number(y);
    if (a == b || (std::isnan(a) && std::isnan(b))) {
      norm += std::isfinite(b) ? b * b : 0;
    } else {
      if (!std::isfinite(a) || !std::isfinite(b)) return infinite;
      difference += (a - b) * (a - b);
      norm += b * b;
    }
  }
  return difference == 0 ? 0 : norm == 0 ? infinite : std::sqrt(difference / norm);
}

}  // namespace

double relative_difference(std::span<const std::byte> values, std::span<const std::byte> expected,
                           DType dtype) {
  switch (dtype) {
    case DType::f32: return difference_of<float>(values, expected);
    case DType::f16: return difference_of<half>(values, expected);
    case DType::bf16: return difference_of<bfloat16>(values, expected);
    case DType::f64: return difference_of<double>(values, expected);
    default: return std::memcmp(values.data(), expected.data(), values.size()) == 0 ? 0 : infinite;
  }
}

double allowed_difference(DType dtype) {
  switch (dtype) {
    case DType::f32: return 1e-4;
    case DType::f16: return 4e-3;
    case DType::bf16: return 3e-2;
    case DType::f64: return 1e-10;
    default: return 0;
  }
}

}  // namespace burnish
