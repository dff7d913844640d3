#pragma once

#include "base/half.h"
#include "base/tensor.h"
#include "ir/element.h"
#include "ir/literal.h"

/// Names and tensor elements as the text form spells them.
namespace burnish {

constexpr bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/';
}
constexpr bool is_name_part(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/// The name itself, or quoted where it is no identifier.
inline std::string name_token(std::string_view name) {
  bool plain = !name.empty() && is_name_start(name[0]);
  for (char c : name) plain = plain && is_name_part(c);
  return plain ? std::string(name) : string_literal(name);
}

/// Element i, exact: a NaN of a half keeps its bits ("nan:7e00").
inline std::string element_literal(const Tensor& t, int64_t i) {
  return visit_storage(t.dtype(), [&]<class T>(T*) -> std::string {
    const T v = t.data<T>()[i];
    if constexpr (std::is_same_v<T, bool>) return v ? "true" : "false";
    else if constexpr (std::is_integral_v<T>) return std::to_string(v);
    else if constexpr (std::is_floating_point_v<T>) return real_literal(v);
    else if (!std::isnan(to_float(v))) return real_literal(to_float(v));
    else {
      char buffer[8];
      return "nan:" + std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, v.bits, 16).ptr);
    }
  });
}

/// Inverse of element_literal: writes element i of `t`, which nobody shares yet.
inline Result<> read_element(std::string_view text, Tensor& t, int64_t i) {
  return visit_storage(t.dtype(), [&]<class T>(T*) -> Result<> {
    T& v = reinterpret_cast<T*>(t.writable())[i];
    if constexpr (std::is_same_v<T, bool>) {
      if (text != "true" && text != "false")
        return Error(Code::invalid_argument, "'" + std::string(text) + "' is neither true nor false");
      v = text == "true";
    } else if constexpr (std::is_integral_v<T>) {
      v = TRY(read_integer<T>(text));
    } else if constexpr (std::is_floating_point_v<T>) {
      v = TRY(read_real<T>(text));
    } else if (text.starts_with("nan:")) {
      const char* end = text.data() + text.size();
      if (std::from_chars(text.data() + 4, end, v.bits, 16).ptr != end || !std::isnan(to_float(v)))
        return Error(Code::invalid_argument, "'" + std::string(text) + "' is no number");
    } else if constexpr (std::is_same_v<T, half>) {
      v = to_half(TRY(read_real<float>(text)));
    } else {
      v = to_bfloat16(TRY(read_real<float>(text)));
    }
    return {};
  });
}

}  // namespace burnish
