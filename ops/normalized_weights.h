#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

#include "base/deferred_tensor.h"
#include "base/parallel.h"
#include "ir/element.h"

namespace burnish {

/// 16-bit floats as they are stored, and as numbers.
inline float number_of(DType dtype, uint16_t bits) {
  return dtype == DType::f16 ? to_float(half{bits}) : to_float(bfloat16{bits});
}
inline uint16_t bits_of(DType dtype, float v) {
  return dtype == DType::f16 ? to_half(v).bits : to_bfloat16(v).bits;
}

/// B of a product, of 16-bit floats: k by columns, any strides.
struct StoredMatrix {
  Tensor tensor;
  int64_t k, columns, k_stride, column_stride;

  /// f(column, its k numbers), each column by one thread; f may change them.
  template <class F>
  void visit(ThreadPool& pool, const F& f) const {
    constexpr int64_t width = 32;
    const auto* bits = reinterpret_cast<const uint16_t*>(tensor.bytes(pool));
    pool.parallel_for((columns + width - 1) / width, 1, [&](int64_t begin, int64_t end) {
      std::vector<float> numbers(static_cast<size_t>(width * k));
      for (int64_t first = begin * width; first < std::min(end * width, columns); first += width) {
        const int64_t count = std::min(width, columns - first);
        for (int64_t i = 0; i < k; ++i)
          for (int64_t j = 0; j < count; ++j)
            numbers[static_cast<size_t>(j * k + i)] =
                number_of(tensor.dtype(), bits[i * k_stride + (first + j) * column_stride]);
        for (int64_t j = 0; j < count; ++j)
          f(first + j, std::span(numbers).subspan(static_cast<size_t>(j * k), static_cast<size_t>(k)));
      }
    });
  }
};

/// Scale or bias of a normalisation.
inline std::vector<float> numbers_of(const Tensor& t, ThreadPool& pool) {
  const auto* bits = reinterpret_cast<const uint16_t*>(t.bytes(pool));
  std::vector<float> all(static_cast<size_t>(t.count()));
  std::transform(bits, bits + all.size(), all.begin(), [&](uint16_t x) { return number_of(t.dtype(), x); });
  return all;
}

/// The power of two that a scale is divided by, so that no number of it is more than 1: then it can go into weights of their type.
inline float factor_of(std::span<const float> scale) {
  float most = 0;
  for (const float v : scale) most = std::max(most, std::abs(v));
  if (most == 0 || !std::isfinite(most)) return 1;
  int exponent = 0;
  const float mantissa = std::frexp(most, &exponent);
  return std::ldexp(1.f, mantissa == 0.5f ? exponent - 1 : exponent);
}

/// Rounds a column such that it adds up to 0, but for as much as its smallest number can say: what rounding the others left goes into
/// that one, and what this left into the next.
inline void round_centred(std::span<float> column, DType dtype) {
  const auto round = [&](double v) { return number_of(dtype, bits_of(dtype, static_cast<float>(v))); };
  double sum = 0;
  for (const float v : column) sum += double{v};
  const double mean = sum / static_cast<double>(column.size());
  double rest = 0;
  for (float& v : column) rest += double{v = round(double{v} - mean)};
  constexpr int most_rounds = 4;
  for (int i = 0; i < most_rounds && rest != 0; ++i) {
    float& least = *std::ranges::min_element(column, {}, [](float v) { return std::abs(v); });
    const float before = least;
    least = round(double{before} - rest);
    rest += double{least} - double{before};
  }
}

/// What a kernel multiplies rows by before they are normalised, and what it adds to the sums (contraction_rows.cuh).
class NormalizedWeights {
 public:
  /// centred: each row's mean is subtracted from it.
  NormalizedWeights(StoredMatrix b, Tensor scale, bool centred)
      : b_(std::move(b)), scale_(std::move(scale)), centred_(centred) {}

  /// B', column by column, `pitch` apart. Paired: columns of the first half and of the second one in turn.
  Tensor matrix(int64_t pitch, bool paired) const {
    return deferred_tensor(
        b_.tensor.dtype(), {b_.columns, pitch}, [=, self = *this](std::byte* to, ThreadPool& pool) {
          const StoredMatrix& b = self.b_;
          const DType dtype = b.tensor.dtype();
          std::memset(to, 0, static_cast<size_t>(b.columns * pitch) * 2);
          std::vector<float> scale = numbers_of(self.scale_, pool);
          const float factor = factor_of(scale);
          for (float& v : scale) v /= factor;
          b.visit(pool, [&](int64_t column, std::span<float> numbers) {
            std::ranges::transform(numbers, scale, numbers.begin(), std::multiplies<>());
            if (self.centred_) round_centred(numbers, dtype);
            const int64_t half = b.columns / 2;
            const int64_t row = !paired ? column : column < half ? 2 * column : 2 * (column - half) + 1;
            std::ranges::transform(numbers, reinterpret_cast<uint16_t*>(to) + row * pitch,
                                   [&](float v) { return bits_of(dtype, v); });
          });
        });
  }
  /// bias * B.
  Tensor shifts(const Tensor& bias) const {
    return deferred_tensor(b_.tensor.dtype(), {b_.columns}, [b = b_, bias](std::byte* to, ThreadPool& pool) {
      const std::vector<float> add = numbers_of(bias, pool);
      b.visit(pool, [&](int64_t column, std::span<const float> numbers) {
        double sum = 0;
        for (size_t i = 0; i < add.size(); ++i) sum += double{add[i]} * double{numbers[i]};
        reinterpret_cast<uint16_t*>(to)[column] = bits_of(b.tensor.dtype(), static_cast<float>(sum));
      });
    });
  }
  /// What scales of rows are multiplied by.
  Tensor factor() const {
    return deferred_tensor(DType::f32, {1}, [s = scale_](std::byte* to, ThreadPool& pool) {
      *reinterpret_cast<float*>(to) = factor_of(numbers_of(s, pool));
    });
  }

 private:
  StoredMatrix b_;
  Tensor scale_;
  bool centred_;
};

}  // namespace burnish
