// LSTM's cell.
#pragma once

#include "ops/recurrent/recurrent.cuh"

namespace burnish {

/// i, o, f = F(gate + P * c), c' = f * c + i * G(gate), h' = o * H(c'), where o sees c'; with couple, f = 1 - i.
/// Gates i, o, f, c; parameters P of i, o, f, or none.
template <class Activations, bool couple>
struct LstmCell {
  static constexpr int gates = 4, direct = 4, states = 2;

  template <class Unit>
  static BURNISH_DEVICE void advance(const Unit& u) {
    auto gate = [&](int which) { return Activations::f(u.limited(u.gate(which) + u.scaled(which, u.c))); };
    const float i = gate(0), f = couple ? 1 - i : gate(2);
    u.c = f * u.c + i * Activations::g(u.limited(u.gate(3)));
    u.h = gate(1) * Activations::h(u.limited(u.c));
  }
};

}  // namespace burnish
