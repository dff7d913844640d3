#pragma once

#include <memory>

#include "ir/graph.h"

namespace burnish {

/// v, which nothing produces any more, is that tensor from now on.
void make_constant(Graph& graph, ValueId v, const std::shared_ptr<const Tensor>& tensor);

}  // namespace burnish
