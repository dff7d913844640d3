#include "ops/reduce.h"

namespace burnish {

namespace {

struct Sum {
  static constexpr bool through_reals = false;
  template <class T, class A, class X>
  static A line(X x, int64_t count) {
    A sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += x(i);
    return sum;
  }
  static Dim content(DimTable& dims, Dim a, Dim b) { return dims.add(a, b); }
};

}  // namespace

extern const OpDef op_reduce_sum;
const OpDef op_reduce_sum = reduction<Sum>("ReduceSum");

}  // namespace burnish
