#include "ir/pointwise.h"

namespace burnish {

namespace {

struct Log {
  template <class S>
  static auto scalar(S x) {
    return prim::log(x);
  }
};

}  // namespace

extern const OpDef op_log;
const OpDef op_log = pointwise<Log, 1>("Log");

}  // namespace burnish
