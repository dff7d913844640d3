#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Gelu {
  struct Attrs {
    std::string approximate = "none";
    BURNISH_REFLECT(Attrs, approximate)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x) {
    return a.approximate == "tanh" ? prim::gelu_tanh(x) : prim::gelu_erf(x);
  }
};

}  // namespace

extern const OpDef op_gelu;
const OpDef op_gelu = pointwise<Gelu, 1>("Gelu");

}  // namespace burnish
