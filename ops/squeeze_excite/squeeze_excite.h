#pragma once

#include "ir/op.h"

namespace burnish {

/// Squeeze and excitation: y = x * gate(w2 act(w1 mean(x) + b1) + b2), the mean being that of an image's positions. Operands x
/// [N, C, …], w1 [R, C, 1…], b1 [R] or none, w2 [C, R, 1…], b2 [C] or none: the weights are those of convolutions.
struct SqueezeExciteAttrs {
  std::string activation = "relu";  // or "swish"
  std::string gate = "sigmoid";     // or "hard_sigmoid", with alpha and beta
  float alpha = 0.2f;
  float beta = 0.5f;
  BURNISH_REFLECT(SqueezeExciteAttrs, activation, gate, alpha, beta)
};

}  // namespace burnish
