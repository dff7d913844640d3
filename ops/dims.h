#pragma once

#include "ops/emit.h"

namespace burnish {

/// Attributes of the IR op Dims: an integer tensor made of extents, a vector or (one of them) a scalar.
struct DimsAttrs {
  std::vector<Dim> dims;
  DType dtype = DType::i64;
  bool scalar = false;
  BURNISH_REFLECT(DimsAttrs, dims, dtype, scalar)
};

/// A vector of extents as a value: a constant where all are known.
inline Result<ValueId> emit_dims(ImportCtx& c, const std::vector<Dim>& dims) {
  std::vector<int64_t> known;
  for (Dim d : dims)
    if (auto v = c.dims().value(d)) known.push_back(*v);
  if (known.size() == dims.size()) return c.constant_integers(known);
  return c.emit("Dims", DimsAttrs{dims}, {});
}

/// x with the extents `shape`.
inline Result<ValueId> emit_reshape(ImportCtx& c, ValueId x, const std::vector<Dim>& shape) {
  return emit_op(c, "Reshape", {x, TRY(emit_dims(c, shape))});
}

}  // namespace burnish
