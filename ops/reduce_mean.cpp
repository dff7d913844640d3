#include "ops/reduce.h"

namespace burnish {

namespace {

struct Mean {
  static constexpr bool through_reals = false;
  template <class T, class A, class X>
  static A line(X x, int64_t count) {
    A sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += x(i);
    return std::is_integral_v<A> && count == 0 ? 0 : sum / static_cast<A>(count);
  }
};

}  // namespace

extern const OpDef op_reduce_mean;
const OpDef op_reduce_mean = reduction<Mean>("ReduceMean");

}  // namespace burnish
