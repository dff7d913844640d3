#include "ops/reduce.h"

namespace burnish {

namespace {

struct L2 {
  static constexpr bool through_reals = true;
  template <class T, class A, class X>
  static A line(X x, int64_t count) {
    A sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += x(i) * x(i);
    return std::sqrt(sum);
  }
};

}  // namespace

extern const OpDef op_reduce_l2;
const OpDef op_reduce_l2 = reduction<L2>("ReduceL2");

}  // namespace burnish
