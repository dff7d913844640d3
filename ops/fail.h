#pragma once

#include "ir/op.h"

namespace burnish {

/// What a branch that cannot be run would have given, and why it cannot.
struct FailAttrs {
  DType dtype = DType::f32;
  std::vector<Dim> shape;
  std::string message;
  BURNISH_REFLECT(FailAttrs, dtype, shape, message)
};

}  // namespace burnish
