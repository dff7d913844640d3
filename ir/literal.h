#pragma once

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// Numbers and strings in the text form: what is written is read back bit for bit.
namespace burnish {

/// The shortest decimal that reads back as the same float or double: "0.1", "-inf", "nan". A NaN other than the default
/// one keeps its bits: "nan:7fc00001".
template <class T>
std::string real_literal(T v) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  char buffer[64];
  if (std::isnan(v)) {
    const Bits bits = std::bit_cast<Bits>(v);
    if (bits == std::bit_cast<Bits>(std::numeric_limits<T>::quiet_NaN())) return "nan";
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, bits, 16).ptr;
    return "nan:" + std::string(buffer, end);
  }
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, v).ptr);
}

/// `text` as a whole number; Error otherwise.
template <class T = int64_t>
Result<T> read_integer(std::string_view text) {
  T v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || end != text.data() + text.size())
    return Error(Code::invalid_argument, "'" + std::string(text) + "' is no whole number of " +
                                             std::to_string(8 * sizeof(T)) + " bits");
  return v;
}

/// Inverse of real_literal.
template <class T>
Result<T> read_real(std::string_view text) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  auto wrong = [&] { return Error(Code::invalid_argument, "'" + std::string(text) + "' is no number"); };
  if (text == "nan") return std::numeric_limits<T>::quiet_NaN();
  if (text.starts_with("nan:")) {
    Bits bits = 0;
    const auto [end, error] = std::from_chars(text.data() + 4, text.data() + text.size(), bits, 16);
    if (error != std::errc() || end != text.data() + text.size() || !std::isnan(std::bit_cast<T>(bits)))
      return wrong();
    return std::bit_cast<T>(bits);
  }
  T v = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc() || end != text.data() + text.size() || std::isnan(v)) return wrong();
  return v;
}

/// "…" with '"', '\' and control characters escaped.
std::string string_literal(std::string_view value);
/// Inverse of string_literal.
Result<std::string> read_string(std::string_view text);

/// The parts of a list at its top-level commas, without the spaces around them; quotes and brackets are respected. "" has
/// no part.
std::vector<std::string_view> split_list(std::string_view text);
/// How many characters of `text` come before the first of `stops` that stands outside quotes and brackets (or its end).
size_t length_before(std::string_view text, std::string_view stops);

}  // namespace burnish
