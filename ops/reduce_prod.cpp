#include "ops/reduce.h"

namespace burnish {

namespace {

struct Prod {
  static constexpr bool through_reals = false;
  template <class T, class A, class X>
  static A line(X x, int64_t count) {
    A product = 1;
    for (int64_t i = 0; i < count; ++i) product *= x(i);
    return product;
  }
  static Dim content(DimTable& dims, Dim a, Dim b) { return dims.mul(a, b); }
};

}  // namespace

extern const OpDef op_reduce_prod;
const OpDef op_reduce_prod = reduction<Prod>("ReduceProd");

}  // namespace burnish
