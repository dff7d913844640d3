// RNN's cell.
#pragma once

#include "ops/recurrent/recurrent.cuh"

namespace burnish {

/// h' = F(gate).
template <class Activations>
struct RnnCell {
  static constexpr int gates = 1, direct = 1, states = 1;

  template <class Unit>
  static BURNISH_DEVICE void advance(const Unit& u) {
    u.h = Activations::f(u.limited(u.gate(0)));
  }
};

}  // namespace burnish
