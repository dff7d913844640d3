#include "ops/reduce.h"

namespace burnish {

namespace {

struct L1 {
  static constexpr bool through_reals = false;
  template <class T, class A, class X>
  static A line(X x, int64_t count) {
    A sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += x(i) < 0 ? -x(i) : x(i);
    return sum;
  }
};

}  // namespace

extern const OpDef op_reduce_l1;
const OpDef op_reduce_l1 = reduction<L1>("ReduceL1");

}  // namespace burnish
