#pragma once

#include <cstddef>
#include <span>

#include "base/dtype.h"

namespace burnish {

/// How far `values` are from `expected`, elements of `dtype` both: the L2 norm of the difference over that of `expected`.
/// Elements that are equal, or NaN in both, do not differ; where one alone is finite, or integers differ, it is infinite.
double relative_difference(std::span<const std::byte> values, std::span<const std::byte> expected,
                           DType dtype);

/// What results of two right ways to compute the same sums may be apart: they differ in order, and in the last rounding.
double allowed_difference(DType dtype);

}  // namespace burnish
