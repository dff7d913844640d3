#pragma once

#include <cstddef>
#include <vector>

#include "base/dtype.h"

namespace burnish {

/// Values to fill buffers with, over and over: numbers between -1 and 1, truth values, and zeros as integers, for those may be
/// indices. Their count has few divisors, so that rows of a buffer differ. Always the same ones.
std::vector<std::byte> random_block(DType dtype);

}  // namespace burnish
