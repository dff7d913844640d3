#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace burnish {

/// The samples' quantile, 0 the least and 1 the largest. There is at least one sample.
inline double quantile(std::vector<double> samples, double q) {
  std::ranges::sort(samples);
  return samples[static_cast<size_t>(std::lround(q * static_cast<double>(samples.size() - 1)))];
}

}  // namespace burnish
