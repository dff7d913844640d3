#pragma once

#include <optional>
#include <span>

#include "compiler/lowering.h"

namespace burnish {

/// The least that a node's kernels have to do, as extents.
struct WorkDims {
  Dim flops, bytes_read, bytes_written;
};

/// Each operand is read and written once; an axis that its strides repeat counts once, and of what a Gather picks from as much as
/// it gives. FLOPs are those of the contraction that the node is, or begins with; pointwise ones are not counted.
/// `in`: where its operands lie; null: their elements are known without reading them.
WorkDims work_of(const Graph& graph, const Node& node, std::span<const std::optional<Placed>> in);

}  // namespace burnish
