#include "providers/cudnn/graph_of.h"

#include "ir/anchor_operands.h"
#include "providers/cudnn/attention_graph.h"
#include "providers/cudnn/convolution_graph.h"

namespace burnish::cudnn {

Verdict graph_of(KernelCtx& ctx, NodeGraph& out) {
  const Verdict neither = Verdict::no("it is no convolution and no attention");
  if (ctx.node.op->name == "Attention") return attention_graph(ctx, out);
  if (ctx.node.op->name == "Conv") return convolution_graph(ctx, ctx, out);
  if (ctx.node.op->name != "Fused") return neither;
  Graph body = ctx.node.regions[0];
  AnchorOperands anchor(ctx, body);
  return anchor.node.op->name == "Conv" ? convolution_graph(ctx, anchor, out) : neither;
}

}  // namespace burnish::cudnn
