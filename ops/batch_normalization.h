#pragma once

#include "ir/op.h"

namespace burnish {

/// scale * (x - mean) / sqrt(variance + epsilon) + bias, per channel; operands x, scale, bias, mean, variance.
struct BatchNormalizationAttrs {
  float epsilon = 1e-5f;
  BURNISH_REFLECT(BatchNormalizationAttrs, epsilon)
};

}  // namespace burnish
