#pragma once

#include <set>
#include <span>

#include "passes/pass.h"

namespace burnish {

/// Whether the kernel of `node` ends in an epilogue, with room for the pointwise nodes that follow.
bool has_epilogue(const Graph& g, const Node& node);

/// How often the kernel of `node` would compute the elements of its first operand; 0: it can only read them.
int readings_of(const Graph& g, const Node& node);

/// How many of the values have the extents of what `reduction` reads.
size_t count_whole(const Graph& g, const std::set<ValueId>& values, std::span<const Dim> shape);

/// Whether it pays that `reduction` computes what it reads of `whole` tensors as large, rather than that a kernel of its own stores it.
Verdict pays_to_compute(const Graph& g, const Node& reduction, size_t whole, const UsualExtent& usual);

/// Whether the kernel of `node` can end with the halves of its result's columns side by side, for it lays out its weight so.
Verdict halves_columns(const Graph& g, const Node& node, const Tensor* weight, size_t& axis);

}  // namespace burnish
