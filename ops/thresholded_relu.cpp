#include "ir/pointwise.h"

namespace burnish {

namespace {

// NaN is not above the threshold: 0.
struct ThresholdedRelu {
  struct Attrs {
    float alpha = 1.0f;
    BURNISH_REFLECT(Attrs, alpha)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x) {
    return prim::where(prim::greater(x, S(a.alpha)), x, S(0.0));
  }
};

}  // namespace

extern const OpDef op_thresholded_relu;
const OpDef op_thresholded_relu = pointwise<ThresholdedRelu, 1>("ThresholdedRelu");

}  // namespace burnish
