#pragma once

#include <cstdint>
#include <string>

#include "cli/npy.h"

namespace burnish::cli {

bool is_float(burnish_dtype dtype);
/// Element `index` as a double (64-bit integers beyond 2^53 are rounded).
double load_element(const Array& array, uint64_t index);
/// Rounds `value` to the array's type, to nearest even.
void store_element(Array& array, uint64_t index, double value);

/// How two arrays of one shape differ. Places where both are NaN, or the same infinity, are equal.
struct Difference {
  double relative_l2 = 0;  // |a - reference| / |reference|
  double max_absolute = 0;
  int64_t worst = 0;  // index of that element
};
Difference difference(const Array& array, const Array& reference);

/// "min -1.25  mean 0.031  max 3.5", counting NaN and infinities where there are any.
std::string statistics(const Array& array);

}  // namespace burnish::cli
