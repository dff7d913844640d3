#pragma once

#include "ir/op.h"

namespace burnish {

/// Operands x [N, C, …], scale [C], bias [C]: each plane of x to mean 0 and variance 1.
struct InstanceNormalizationAttrs {
  float epsilon = 1e-5f;
  BURNISH_REFLECT(InstanceNormalizationAttrs, epsilon)
};

}  // namespace burnish
