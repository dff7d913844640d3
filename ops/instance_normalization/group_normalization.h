#pragma once

#include "ir/op.h"

namespace burnish {

/// Operands x [N, C, …], scale [C], bias [C]: each group of C / num_groups neighbouring channels to mean 0
/// and variance 1.
struct GroupNormalizationAttrs {
  float epsilon = 1e-5f;
  int64_t num_groups = 1;
  BURNISH_REFLECT(GroupNormalizationAttrs, epsilon, num_groups)
};

}  // namespace burnish
