#pragma once

#include <cstdint>

namespace burnish {

/// What an extent may be, and what an engine is tuned for: min <= opt <= max.
struct ExtentRange {
  int64_t min = 0, opt = 0, max = 0;
  bool operator==(const ExtentRange&) const = default;
};

}  // namespace burnish
