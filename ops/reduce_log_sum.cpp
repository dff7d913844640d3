#include "ops/reduce.h"

namespace burnish {

namespace {

struct LogSum {
  static constexpr bool through_reals = true;
  template <class T, class A, class X>
  static A line(X x, int64_t count) {
    A sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += x(i);
    return std::log(sum);
  }
};

}  // namespace

extern const OpDef op_reduce_log_sum;
const OpDef op_reduce_log_sum = reduction<LogSum>("ReduceLogSum");

}  // namespace burnish
