#include "ops/reduce.h"

namespace burnish {

namespace {

struct Min {
  static constexpr bool through_reals = false;
  template <class T, class A, class X>
  static A line(X x, int64_t count) {
    A least = std::numeric_limits<T>::has_infinity ? std::numeric_limits<A>::infinity()
                                                   : static_cast<A>(std::numeric_limits<T>::max());
    for (int64_t i = 0; i < count; ++i) {
      if (x(i) != x(i)) return x(i);  // NaN wins
      least = std::min(least, x(i));
    }
    return least;
  }
  static Dim content(DimTable& dims, Dim a, Dim b) { return dims.min(a, b); }
};

}  // namespace

extern const OpDef op_reduce_min;
const OpDef op_reduce_min = reduction<Min>("ReduceMin");

}  // namespace burnish
