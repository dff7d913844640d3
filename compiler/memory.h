#pragma once

#include <functional>
#include <vector>

#include "shape/dim.h"

namespace burnish {

/// A temporary of an arena: how large, and from which step to which (inclusive) it is in use.
struct Lifetime {
  Dim bytes;
  int64_t first = 0;
  int64_t last = 0;
};

struct MemoryPlan {
  std::vector<Dim> offsets;  // bytes, by lifetime
  Dim total;
};

/// Places temporaries so that two in use at the same time never share bytes, for any value of the symbols.
///
/// A greedy planner runs at the optimum (largest first, lowest gap that fits); of each pair in use at the same time it
/// records who lies below, and after transitive reduction offset_i = max(offset_j + bytes_j) over the neighbours below.
/// At the optimum that is the greedy plan; elsewhere the order holds by construction. `at_optimum` gives a Dim's value there.
MemoryPlan plan_memory(DimTable& dims, const std::vector<Lifetime>& lifetimes,
                       const std::function<int64_t(Dim)>& at_optimum);

}  // namespace burnish
