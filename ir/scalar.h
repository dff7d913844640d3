#pragma once

#include <cstdio>
#include <string>

#include "base/primitives.cuh"

namespace burnish {

/// The device reading of a scalar definition: an expression in CUDA C++. `C` in it is the compute type of the operands.
struct Text {
  std::string s;
  explicit Text(std::string text) : s(std::move(text)) {}
  /// A literal, exact.
  explicit Text(double value) {
    if (value != value) s = "C(prim::nan())";
    else if (value > 1.7976931348623157e308) s = "C(prim::infinity())";
    else if (value < -1.7976931348623157e308) s = "C(-prim::infinity())";
    else {
      char buffer[64];
      std::snprintf(buffer, sizeof buffer, "C(%a)", value);
      s = buffer;
    }
  }
};

}  // namespace burnish

namespace burnish::prim {

// clang-format off: tables
#define BURNISH_PRIMITIVES_1(X)                                                                            \
  X(neg)                                                                                                   \
  X(abs)                                                                                                   \
  X(sign)                                                                                                  \
  X(relu) X(hard_swish) X(sigmoid) X(tanh) X(softplus) X(softsign) X(mish) X(gelu_erf) X(gelu_tanh) X(erf) \
      X(exp) X(log) X(sqrt) X(reciprocal) X(floor) X(ceil) X(round) X(trunc) X(sin) X(cos) X(tan) X(asin)  \
          X(acos) X(atan) X(sinh) X(cosh) X(asinh) X(acosh) X(atanh) X(is_nan) X(is_inf) X(logical_not)    \
              X(bit_not)
#define BURNISH_PRIMITIVES_2(X)                                                                             \
  X(add)                                                                                                    \
  X(sub)                                                                                                    \
  X(mul)                                                                                                    \
  X(div) X(min) X(max) X(leaky_relu) X(elu) X(celu) X(pow) X(mod) X(fmod) X(equal) X(less) X(less_or_equal) \
      X(greater) X(greater_or_equal) X(logical_and) X(logical_or) X(logical_xor) X(bit_and) X(bit_or)       \
          X(bit_xor) X(shift_left) X(shift_right)
#define BURNISH_PRIMITIVES_3(X) X(clip) X(hard_sigmoid) X(selu) X(where)
// clang-format on

#define BURNISH_TEXT_1(name) \
  inline Text name(const Text& a) { return Text("prim::" #name "(" + a.s + ")"); }
#define BURNISH_TEXT_2(name) \
  inline Text name(const Text& a, const Text& b) { return Text("prim::" #name "(" + a.s + ", " + b.s + ")"); }
#define BURNISH_TEXT_3(name)                                               \
  inline Text name(const Text& a, const Text& b, const Text& c) {          \
    return Text("prim::" #name "(" + a.s + ", " + b.s + ", " + c.s + ")"); \
  }
BURNISH_PRIMITIVES_1(BURNISH_TEXT_1)
BURNISH_PRIMITIVES_2(BURNISH_TEXT_2)
BURNISH_PRIMITIVES_3(BURNISH_TEXT_3)
#undef BURNISH_TEXT_1
#undef BURNISH_TEXT_2
#undef BURNISH_TEXT_3

}  // namespace burnish::prim
