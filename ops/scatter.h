#pragma once

#include <string>

#include "ops/elements.h"

namespace burnish {

/// How an update joins what is there: "none" replaces, else "add", "mul", "min", "max".
inline Result<> check_reduction(const InferCtx& c, const std::string& reduction) {
  for (std::string_view known : {"none", "add", "mul", "min", "max"})
    if (reduction == known) return {};
  return c.error("reduction '" + reduction + "' is none of none, add, mul, min, max");
}

/// Calls f with a function `join(T old, T update) -> T`.
template <class T, class F>
void with_join(const std::string& reduction, F&& f) {
  if (reduction == "add") f([](T a, T b) { return static_cast<T>(a + b); });
  else if (reduction == "mul") f([](T a, T b) { return static_cast<T>(a * b); });
  else if (reduction == "min") f([](T a, T b) { return b < a || b != b ? b : a; });  // NaN wins
  else if (reduction == "max") f([](T a, T b) { return b > a || b != b ? b : a; });
  else f([](T, T b) { return b; });
}

}  // namespace burnish
