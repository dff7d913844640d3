#include "ops/reduce.h"

namespace burnish {

namespace {

struct SumSquare {
  static constexpr bool through_reals = false;
  template <class T, class A, class X>
  static A line(X x, int64_t count) {
    A sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += x(i) * x(i);
    return sum;
  }
};

}  // namespace

extern const OpDef op_reduce_sum_square;
const OpDef op_reduce_sum_square = reduction<SumSquare>("ReduceSumSquare");

}  // namespace burnish
