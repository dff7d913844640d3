#pragma once

#include "ir/op.h"

namespace burnish {

/// Runs node's `eval` on dense tensors. f16 and bf16 operands are widened to f32 and f16/bf16 outputs rounded, so an op's
/// eval never sees them. Outputs without bytes are skipped, or asked for through `allocate` where the op decides extents.
Result<> evaluate(const Node& node, std::span<const TensorView* const> inputs, std::span<TensorView> outputs,
                  ThreadPool& pool, const EvalCtx::Allocate& allocate);

/// The outputs of a node whose inputs are all constants (views too). Nullopt when it cannot be evaluated at build time.
Result<std::optional<std::vector<Tensor>>> evaluate_constant(const Graph& graph, const Node& node,
                                                             ThreadPool& pool);

/// Replaces the outputs of `node` by constants where its inputs or the outputs' contents are known; true if it did.
/// The outputs keep their ids.
Result<bool> fold(Graph& graph, Node& node, ThreadPool& pool);

}  // namespace burnish
