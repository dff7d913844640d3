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

/// What device kernels certainly take, in any type and wherever an image lies: one that has more is left as it is spelled out.
inline constexpr int64_t most_squeezed_channels = 8192, most_hidden_channels = 2048;

}  // namespace burnish
