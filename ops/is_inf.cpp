#include "ir/pointwise.h"

namespace burnish {

namespace {

// Neither sign wanted: never (x < x).
struct IsInf {
  struct Attrs {
    bool detect_positive = true;
    bool detect_negative = true;
    BURNISH_REFLECT(Attrs, detect_positive, detect_negative)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x) {
    if (a.detect_positive && a.detect_negative) return prim::is_inf(x);
    const S limit = a.detect_positive ? S(prim::infinity()) : S(-prim::infinity());
    return a.detect_positive || a.detect_negative ? prim::equal(x, limit) : prim::less(x, x);
  }
};

}  // namespace

extern const OpDef op_is_inf;
const OpDef op_is_inf = pointwise<IsInf, 1>("IsInf");

}  // namespace burnish
