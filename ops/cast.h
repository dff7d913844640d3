#pragma once

#include "ir/op.h"

namespace burnish {

struct CastAttrs {
  DType to = DType::f32;
  bool saturate = true;  // concerns 8-bit floats only
  BURNISH_REFLECT(CastAttrs, to, saturate)
};

inline Attrs cast_to(DType to) {
  CastAttrs attrs;
  attrs.to = to;
  return attrs;
}

}  // namespace burnish
