#pragma once

#include "ir/op.h"

namespace burnish {

/// alpha * A' * B' + beta * C.
struct GemmAttrs {
  float alpha = 1;
  float beta = 1;
  bool trans_a = false;
  bool trans_b = false;
  BURNISH_REFLECT(GemmAttrs, alpha, beta, trans_a, trans_b)
};

}  // namespace burnish
