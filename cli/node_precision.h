#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/burnish.h"

namespace burnish::cli {

/// In what an FP16 or BF16 build computes and stores what a node makes, as in burnish_node_precision.
struct NodePrecision {
  std::string name;
  burnish_dtype dtype;
  int result = 0;
};
using NodePrecisions = std::vector<NodePrecision>;

/// "head:fp32,/layer1/*:fp16,/layer2/*:bf16", as --node-precision takes it. Throws Failure.
NodePrecisions parse_node_precisions(const std::vector<std::string>& texts);

}  // namespace burnish::cli
