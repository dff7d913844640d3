#pragma once

#include "providers/cudnn/graph_of.h"

namespace burnish::cudnn {

/// An Attention: two products with what a softmax is made of between them, as the library's fused attention is asked for
/// (NVIDIA cuDNN documentation, "Fused Flash Attention fprop"). It is one graph only if the softmax's logarithm of sums is
/// there too, though nobody reads it.
Verdict attention_graph(KernelCtx& ctx, NodeGraph& out);

}  // namespace burnish::cudnn
