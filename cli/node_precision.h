#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/burnish.h"

namespace burnish::cli {

/// In what an FP16 build stores what nodes make, by name or pattern, the last one that fits counting.
using NodePrecisions = std::vector<std::pair<std::string, burnish_dtype>>;

/// "head:fp32,/layer1/*:fp16", as --node-precision takes it. Throws Failure.
NodePrecisions parse_node_precisions(const std::vector<std::string>& texts);

}  // namespace burnish::cli
