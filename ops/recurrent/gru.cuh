// GRU's cell.
#pragma once

#include "ops/recurrent/recurrent.cuh"

namespace burnish {

/// z, r = F(gate), n = G(x + (r * h) R^T), h' = (1 - z) * n + z * h; with linear_before_reset
/// n = G(x + r * (h R^T + b)), where b, the only parameter, is R's bias of the candidate, or none.
/// Gates z, r, n.
template <class Activations, bool linear_before_reset>
struct GruCell {
  static constexpr int gates = 3, direct = linear_before_reset ? 3 : 2, states = 1;

  template <class Unit>
  static BURNISH_DEVICE void reset(const Unit& u) {
    u.product(1) = Activations::f(u.limited(u.gate(1))) * u.h;
  }

  template <class Unit>
  static BURNISH_DEVICE void advance(const Unit& u) {
    float candidate = u.product(2);
    if constexpr (linear_before_reset)
      candidate = Activations::f(u.limited(u.gate(1))) * (candidate + u.scaled(0, 1.0f));
    const float z = Activations::f(u.limited(u.gate(0))), n = Activations::g(u.limited(u.x(2) + candidate));
    u.h = (1 - z) * n + z * u.h;
  }
};

}  // namespace burnish
