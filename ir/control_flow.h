#pragma once

#include "ir/op.h"

namespace burnish {

/// A Loop or Scan. Its region, its body, is run again and again by its `eval`, from the body's inputs alone: extents in
/// there are symbols of the body's own, and passes that lead to steps or device kernels leave it as it is.
inline bool iterates(const Node& node) { return node.op->name == "Loop" || node.op->name == "Scan"; }

/// An If, Loop or Scan: not Fused, whose region is a kernel and no control flow.
inline bool is_control_flow(const Node& node) { return node.op->name == "If" || iterates(node); }

/// How many operands of an If, Loop or Scan come before its captures.
inline size_t operands_before_captures(const Node& node) {
  if (!iterates(node)) return 1;  // the condition
  const auto given = [&](std::string_view name) {
    const int64_t* count = node.attrs.find<int64_t>(name);
    return count ? static_cast<size_t>(*count) : 0;
  };
  return given("carried") + (node.op->name == "Loop" ? 2 : given("num_scan_inputs"));
}

}  // namespace burnish
