#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/report/graph_text.h"

namespace burnish::cli::report {

/// Extents by the name of a free axis.
using Extents = std::map<std::string, int64_t>;

/// The shape in numbers; none where an extent is not known.
std::optional<std::vector<int64_t>> numbers(const TextType& type, const Extents& extents);

/// What a layer has to do at least: the flops of a convolution or a product (an addition is one, a multiplication is one),
/// and each tensor read or written once.
struct EstimatedWork {
  int64_t flops = 0, bytes_read = 0, bytes_written = 0;
};
/// None where an extent is not known.
std::optional<EstimatedWork> estimate_work(const TextNode& node, const Extents& extents);

}  // namespace burnish::cli::report
