#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace burnish {

/// ONNX nodes by name; one `*` stands for anything.
struct NodePattern {
  std::string text;

  bool fits(std::string_view name) const {
    const size_t star = text.find('*');
    if (star == std::string::npos) return name == text;
    const std::string_view before = std::string_view(text).substr(0, star),
                           after = std::string_view(text).substr(star + 1);
    return name.size() >= before.size() + after.size() && name.starts_with(before) && name.ends_with(after);
  }
  /// Whether it fits one of the ONNX nodes that a node came from.
  bool fits(const Node& node) const {
    return std::ranges::any_of(node.provenance, [&](const std::string& name) { return fits(name); });
  }
};

}  // namespace burnish
