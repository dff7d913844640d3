#pragma once

#include <string>
#include <vector>

#include "ir/infer.h"
#include "ir/op.h"

namespace burnish {

/// Gives input k of a region the type and content of a value outside.
inline void hand_in(InferCtx& c, Graph& region, size_t k, ValueId from) {
  Value& to = region.values[region.inputs[k]];
  to.type = c.graph.values[from].type;
  to.content = c.graph.values[from].content;
}

/// True where d means something outside the region too.
inline bool known_outside(const DimTable& dims, const Graph& region, Dim d) {
  for (Dim symbol : dims.symbols(d))
    if (region.origins.contains(symbol)) return false;
  return true;
}

}  // namespace burnish
