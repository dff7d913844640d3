#pragma once

#include "cli/npy.h"

namespace burnish::cli::trtexec {

/// The same values every time: floats in [-1, 1], bytes and booleans over their range, other integers from -128 to 127; integers
/// that index tables from 0 to `most_index`, where that is no less than 0.
Array random_values(burnish_dtype dtype, std::vector<int64_t> shape, int64_t most_index = -1);

}  // namespace burnish::cli::trtexec
