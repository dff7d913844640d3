#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "plan/plan.h"

namespace burnish {

/// From which step to which (inclusive, by position as in for_each_step) a buffer is in use; -1: in none.
struct Life {
  int64_t first = -1, last = -1;
};
/// By buffer.
std::vector<Life> lives_of(const Plan& plan);

/// Bytes of a space's arenas for these slot values, and what no plan of the same steps could do without: the temporaries of
/// the step at which most are in use.
struct ArenaBytes {
  int64_t planned = 0, least = 0;
};
ArenaBytes arena_bytes(const Plan& plan, Space space, std::span<const int64_t> slots);

}  // namespace burnish
