#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Mod {
  struct Attrs {
    bool fmod = false;  // the dividend's sign instead of the divisor's
    BURNISH_REFLECT(Attrs, fmod)
  };
  template <class S>
  static auto scalar(const Attrs& a, S x, S y) {
    return a.fmod ? prim::fmod(x, y) : prim::mod(x, y);
  }
  static Dim content(const Attrs& a, DimTable& dims, Dim x, Dim y) {
    const Dim zero = dims.constant(0);
    const Dim rest = dims.mod(x, y);
    const Dim of_dividend =
        dims.select(dims.equal(rest, zero), zero,
                    dims.select(dims.equal(dims.less(x, zero), dims.less(y, zero)), rest, dims.sub(rest, y)));
    return dims.select(y, a.fmod ? of_dividend : rest, zero);
  }
};

}  // namespace

extern const OpDef op_mod;
const OpDef op_mod = pointwise<Mod, 2, reals | integers>("Mod");

}  // namespace burnish
