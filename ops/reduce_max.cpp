#include "ops/reduce.h"

namespace burnish {

namespace {

struct Max {
  static constexpr bool through_reals = false;
  template <class T, class A, class X>
  static A line(X x, int64_t count) {
    A most = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<A>::infinity()
                                                  : static_cast<A>(std::numeric_limits<T>::lowest());
    for (int64_t i = 0; i < count; ++i) {
      if (x(i) != x(i)) return x(i);  // NaN wins
      most = std::max(most, x(i));
    }
    return most;
  }
  static Dim content(DimTable& dims, Dim a, Dim b) { return dims.max(a, b); }
};

}  // namespace

extern const OpDef op_reduce_max;
const OpDef op_reduce_max = reduction<Max>("ReduceMax");

}  // namespace burnish
