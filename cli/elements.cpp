#include "cli/elements.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace burnish::cli {

namespace {

template <class T>
T load(const Array& array, uint64_t index) {
  T value;
  std::memcpy(&value, array.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <class T>
void store(Array& array, uint64_t index, T value) {
  std::memcpy(array.bytes.data() + index * sizeof(T), &value, sizeof(T));
}

double half_value(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double size = exponent == 31  ? (fraction ? std::numeric_limits<double>::quiet_NaN() : HUGE_VAL)
                : exponent == 0 ? std::ldexp(fraction, -24)
                                : std::ldexp(1024 + fraction, exponent - 25);
  return bits >> 15 ? -size : size;
}

uint16_t half_bits(double value) {
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  double size = std::fabs(value);
  if (std::isnan(value)) return sign | 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // nearbyint rounds to nearest even; a fraction that overflows carries into the exponent, as it should.
  if (size < 0x1p-14) return sign | static_cast<uint16_t>(std::nearbyint(std::ldexp(size, 24)));
  int exponent = std::ilogb(size);
  auto fraction = static_cast<uint16_t>(std::nearbyint(std::ldexp(size, 10 - exponent)) - 1024);
  return static_cast<uint16_t>(sign | (((exponent + 15) << 10) + fraction));
}

uint16_t bfloat_bits(float value) {
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace

bool is_float(burnish_dtype dtype) {
  return dtype == BURNISH_F32 || dtype == BURNISH_F16 || dtype == BURNISH_BF16 || dtype == BURNISH_F64;
}

double load_element(const Array& array, uint64_t index) {
  switch (array.dtype) {
    case BURNISH_F32: return load<float>(array, index);
    case BURNISH_F16: return half_value(load<uint16_t>(array, index));
    case BURNISH_BF16: return std::bit_cast<float>(uint32_t{load<uint16_t>(array, index)} << 16);
    case BURNISH_F64: return load<double>(array, index);
    case BURNISH_I8: return load<int8_t>(array, index);
    case BURNISH_I16: return load<int16_t>(array, index);
    case BURNISH_I32: return load<int32_t>(array, index);
    case BURNISH_I64: return static_cast<double>(load<int64_t>(array, index));
    case BURNISH_U8: return load<uint8_t>(array, index);
    case BURNISH_U16: return load<uint16_t>(array, index);
    case BURNISH_U32: return load<uint32_t>(array, index);
    case BURNISH_U64: return static_cast<double>(load<uint64_t>(array, index));
    case BURNISH_BOOL: return load<uint8_t>(array, index) != 0;
  }
  return 0;
}

void store_element(Array& array, uint64_t index, double value) {
  switch (array.dtype) {
    case BURNISH_F32: return store(array, index, static_cast<float>(value));
    case BURNISH_F16: return store(array, index, half_bits(value));
    case BURNISH_BF16: return store(array, index, bfloat_bits(static_cast<float>(value)));
    case BURNISH_F64: return store(array, index, value);
    case BURNISH_I8: return store(array, index, static_cast<int8_t>(value));
    case BURNISH_I16: return store(array, index, static_cast<int16_t>(value));
    case BURNISH_I32: return store(array, index, static_cast<int32_t>(value));
    case BURNISH_I64: return store(array, index, static_cast<int64_t>(value));
    case BURNISH_U8: return store(array, index, static_cast<uint8_t>(value));
    case BURNISH_U16: return store(array, index, static_cast<uint16_t>(value));
    case BURNISH_U32: return store(array, index, static_cast<uint32_t>(value));
    case BURNISH_U64: return store(array, index, static_cast<uint64_t>(value));
    case BURNISH_BOOL: return store(array, index, static_cast<uint8_t>(value != 0));
  }
}

Difference difference(const Array& array, const Array& reference) {
  Difference found;
  double error = 0, size = 0;
  for (int64_t i = 0; i < reference.elements(); ++i) {
    double got = load_element(array, i), want = load_element(reference, i);
    if (std::isfinite(want)) size += want * want;
    if (got == want || (std::isnan(got) && std::isnan(want))) continue;
    double apart = std::fabs(got - want);
    if (std::isnan(apart)) apart = HUGE_VAL;
    error += apart * apart;
    if (apart > found.max_absolute) found.max_absolute = apart, found.worst = i;
  }
  found.relative_l2 = error == 0 ? 0 : std::sqrt(error / size);
  return found;
}

std::string statistics(const Array& array) {
  double low = HUGE_VAL, high = -HUGE_VAL, sum = 0;
  int64_t finite = 0, nans = 0, infinities = 0;
  for (int64_t i = 0; i < array.elements(); ++i) {
    double value = load_element(array, i);
    if (std::isnan(value)) ++nans;
    else if (std::isinf(value)) ++infinities;
    else {
      ++finite;
      sum += value;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  std::string text = finite             ? fmt::format("min {:.4g}  mean {:.4g}  max {:.4g}", low,
                                                      sum / static_cast<double>(finite), high)
                     : array.elements() ? "nothing finite"
                                        : "empty";
  if (nans) text += fmt::format("  {} NaN", nans);
  if (infinities) text += fmt::format("  {} infinite", infinities);
  return text;
}

}  // namespace burnish::cli
