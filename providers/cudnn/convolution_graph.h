#pragma once

#include "providers/cudnn/graph_of.h"

namespace burnish::cudnn {

/// A Conv, which `anchor` sees, with the pointwise nodes fused to it, if any: then `ctx` is their Fused node's. The weights'
/// memory order is the library's favourite, channels last.
Verdict convolution_graph(KernelCtx& ctx, KernelCtx& anchor, NodeGraph& out);

}  // namespace burnish::cudnn
