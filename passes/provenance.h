#pragma once

#include <algorithm>

#include "ir/graph.h"

namespace burnish {

/// Adds the names of ONNX nodes that `from` came from to those that are there, each once, in their order.
inline void add_provenance(std::vector<std::string>& names, const Node& from) {
  for (const std::string& name : from.provenance)
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

}  // namespace burnish
