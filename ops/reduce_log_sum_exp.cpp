#include "ops/reduce.h"

namespace burnish {

namespace {

struct LogSumExp {
  static constexpr bool through_reals = true;
  template <class T, class A, class X>
  static A line(X x, int64_t count) {
    // Relative to the largest element, so that no exponential overflows.
    A most = -std::numeric_limits<A>::infinity();
    for (int64_t i = 0; i < count; ++i) {
      if (x(i) != x(i)) return x(i);
      most = std::max(most, x(i));
    }
    if (std::isinf(most)) return most;
    A sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += std::exp(x(i) - most);
    return most + std::log(sum);
  }
};

}  // namespace

extern const OpDef op_reduce_log_sum_exp;
const OpDef op_reduce_log_sum_exp = reduction<LogSumExp>("ReduceLogSumExp");

}  // namespace burnish
