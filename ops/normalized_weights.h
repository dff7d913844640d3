#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/deferred_tensor.h"
#include "ir/element.h"

namespace burnish {

/// B of a product whose rows of A are normalised, of 16-bit floats: k by columns, any strides.
struct StoredMatrix {
  Tensor tensor;
  int64_t k, columns, k_stride, column_stride;

  /// f(k, first, numbers, count): each k's numbers of some columns from `first` on, all k of them by one thread.
  template <class F>
  void visit(ThreadPool& pool, const F& f) const {
    constexpr int64_t width = 64;
    const std::byte* bytes = tensor.bytes(pool);
    pool.parallel_for((columns + width - 1) / width, 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        const int64_t first = block * width, count = std::min(width, columns - first);
        for (int64_t i = 0; i < k; ++i) {
          float numbers[width];
          for (int64_t j = 0; j < count; ++j)
            numbers[j] = load_float(tensor.dtype(), bytes, i * k_stride + (first + j) * column_stride);
          f(i, first, std::span(numbers, static_cast<size_t>(count)));
        }
      }
    });
  }
  static float load_float(DType dtype, const std::byte* bytes, int64_t at) {
    return dtype == DType::f16 ? to_float(reinterpret_cast<const half*>(bytes)[at])
                               : to_float(reinterpret_cast<const bfloat16*>(bytes)[at]);
  }
};

/// Scale or bias of the normalisation, as floats.
inline std::vector<float> floats_of(const Tensor& t, ThreadPool& pool) {
  std::vector<float> all(static_cast<size_t>(t.count()));
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = StoredMatrix::load_float(t.dtype(), t.bytes(pool), static_cast<int64_t>(i));
  return all;
}

/// The power of two that the scale is divided by, so that no number of it is more than 1: then B' fits where B does.
inline float factor_of(std::span<const float> scale) {
  float most = 0;
  for (const float v : scale) most = std::max(most, std::abs(v));
  if (most == 0 || !std::isfinite(most)) return 1;
  int exponent = 0;
  const float mantissa = std::frexp(most, &exponent);
  return std::ldexp(1.f, mantissa == 0.5f ? exponent - 1 : exponent);
}

/// What a kernel multiplies rows by before it has normalised them, and what it does to the sums (contraction_rows.cuh).
class NormalizedWeights {
 public:
  NormalizedWeights(StoredMatrix b, Tensor scale) : b_(std::move(b)), scale_(std::move(scale)) {}

  /// scale / factor * B, column by column, `pitch` apart. Paired: columns of the first half and of the second one in turn.
  Tensor matrix(int64_t pitch, bool paired) const {
    return deferred_tensor(
        b_.tensor.dtype(), {b_.columns, pitch},
        [=, b = b_, s = scale_](std::byte* to, ThreadPool& pool) {
          std::memset(to, 0, static_cast<size_t>(b.columns * pitch) * 2);
          visit_scaled(b, s, pool, [&](int64_t k, int64_t first, std::span<const uint16_t> bits, std::span<const float>) {
            for (int64_t j = 0; j < std::ssize(bits); ++j) {
              const int64_t column = first + j, half = b.columns / 2;
              const int64_t row = !paired ? column : column < half ? 2 * column : 2 * (column - half) + 1;
              reinterpret_cast<uint16_t*>(to)[row * pitch + k] = bits[static_cast<size_t>(j)];
            }
          });
        });
  }
  /// Of the columns of that, as it is rounded.
  Tensor sums() const {
    return per_column([b = b_, s = scale_](std::span<double> sums, ThreadPool& pool) {
      visit_scaled(b, s, pool, [&](int64_t, int64_t first, std::span<const uint16_t>, std::span<const float> rounded) {
        for (size_t j = 0; j < rounded.size(); ++j) sums[static_cast<size_t>(first) + j] += rounded[j];
      });
    });
  }
  /// bias * B.
  Tensor shifts(const Tensor& bias) const {
    return per_column([b = b_, bias](std::span<double> sums, ThreadPool& pool) {
      const std::vector<float> add = floats_of(bias, pool);
      b.visit(pool, [&](int64_t k, int64_t first, std::span<const float> numbers) {
        for (size_t j = 0; j < numbers.size(); ++j)
          sums[static_cast<size_t>(first) + j] += double{add[static_cast<size_t>(k)]} * numbers[j];
      });
    });
  }
  Tensor factor() const {
    return deferred_tensor(DType::f32, {1}, [s = scale_](std::byte* to, ThreadPool& pool) {
      *reinterpret_cast<float*>(to) = factor_of(floats_of(s, pool));
    });
  }

 private:
  template <class F>
  static void visit_scaled(const StoredMatrix& b, const Tensor& scale, ThreadPool& pool, const F& f) {
    std::vector<float> by = floats_of(scale, pool);
    const float factor = factor_of(by);
    for (float& v : by) v /= factor;
    b.visit(pool, [&](int64_t k, int64_t first, std::span<const float> numbers) {
      uint16_t bits[64];
      float rounded[64];
      for (size_t j = 0; j < numbers.size(); ++j) {
        const float v = numbers[j] * by[static_cast<size_t>(k)];
        if (b.tensor.dtype() == DType::f16) rounded[j] = to_float(half{bits[j] = to_half(v).bits});
        else rounded[j] = to_float(bfloat16{bits[j] = to_bfloat16(v).bits});
      }
      f(k, first, std::span<const uint16_t>(bits, numbers.size()), std::span<const float>(rounded, numbers.size()));
    });
  }
  template <class Sum>
  Tensor per_column(Sum sum) const {
    const int64_t columns = b_.columns;
    return deferred_tensor(DType::f32, {columns}, [=](std::byte* to, ThreadPool& pool) {
      std::vector<double> sums(static_cast<size_t>(columns));
      sum(std::span(sums), pool);
      std::ranges::transform(sums, reinterpret_cast<float*>(to), [](double v) { return static_cast<float>(v); });
    });
  }

  StoredMatrix b_;
  Tensor scale_;
};

}  // namespace burnish
