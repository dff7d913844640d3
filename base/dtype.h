#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace burnish {

/// Element type of a tensor. The numbers are written into engine files and are never renumbered.
enum class DType : uint8_t {
  f32 = 0,
  f16 = 1,
  bf16 = 2,
  f64 = 3,
  i8 = 4,
  i16 = 5,
  i32 = 6,
  i64 = 7,
  u8 = 8,
  u16 = 9,
  u32 = 10,
  u64 = 11,
  boolean = 12,
};
inline constexpr int dtype_count = 13;

/// Bytes of one element.
constexpr size_t size_of(DType t) {
  constexpr uint8_t sizes[dtype_count] = {4, 2, 2, 8, 1, 2, 4, 8, 1, 2, 4, 8, 1};
  return sizes[static_cast<size_t>(t)];
}

/// "f32", "i64", "bool", …: the spelling of the text form.
constexpr std::string_view name_of(DType t) {
  constexpr std::string_view names[dtype_count] = {"f32", "f16", "bf16", "f64", "i8",  "i16", "i32",
                                                   "i64", "u8",  "u16",  "u32", "u64", "bool"};
  return names[static_cast<size_t>(t)];
}

/// Inverse of `name_of`.
constexpr std::optional<DType> dtype_from_name(std::string_view name) {
  for (int i = 0; i < dtype_count; ++i)
    if (name_of(static_cast<DType>(i)) == name) return static_cast<DType>(i);
  return std::nullopt;
}

constexpr bool is_float(DType t) { return t <= DType::f64; }
constexpr bool is_integer(DType t) { return t >= DType::i8 && t <= DType::u64; }
constexpr bool is_signed_integer(DType t) { return t >= DType::i8 && t <= DType::i64; }

}  // namespace burnish
