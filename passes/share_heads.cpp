#include <algorithm>

#include "passes/pass.h"
#include "passes/reshape_node.h"
#include "passes/rewrite.h"
#include "passes/split_axes.h"

namespace burnish {

namespace {

/// Matrices that an Expand repeats along axes before them, which a Reshape joins with others then.
struct Repeated {
  ValueId once;
  std::vector<Dim> batch, apart;  // axes before the matrices: joined, and before that
};

std::vector<Dim> batch_of(const std::vector<Dim>& shape) { return {shape.begin(), shape.end() - 2}; }

bool same_matrices(const std::vector<Dim>& a, const std::vector<Dim>& b) {
  return a.size() >= 2 && b.size() >= 2 && std::equal(a.end() - 2, a.end(), b.end() - 2);
}

std::optional<Repeated> repeated(const Graph& g, ValueId v) {
  const Node* reshape = g.producer(v);
  const Node* expand = reshape && reshape->op->name == "Reshape" ? g.producer(reshape->inputs[0]) : nullptr;
  if (!expand || expand->op->name != "Expand") return std::nullopt;
  const auto shape = [&](ValueId x) -> const std::vector<Dim>& { return g.values[x].type.shape; };
  const std::vector<Dim>& all = shape(reshape->inputs[0]);
  if (!same_matrices(shape(v), all) || !same_matrices(shape(expand->inputs[0]), all)) return std::nullopt;
  return Repeated{expand->inputs[0], batch_of(shape(v)), batch_of(all)};
}

/// The same matrices with those axes before them.
std::vector<Dim> with_batch(std::vector<Dim> batch, const std::vector<Dim>& shape) {
  batch.insert(batch.end(), shape.end() - 2, shape.end());
  return batch;
}

// Attention on keys and values that are repeated alike: queries get the axes that these had, along which they broadcast.
Result<bool> rewrite(Graph& g, const std::vector<uint32_t>&, const Node& node, std::vector<Node>& out) {
  if (node.op->name != "Attention") return false;
  const auto keys = repeated(g, node.inputs[1]), values = repeated(g, node.inputs[2]);
  const std::vector<Dim> queries = g.values[node.inputs[0]].type.shape,
                         result = g.values[node.outputs[0]].type.shape;
  if (!keys || !values || keys->apart != values->apart || keys->batch != values->batch ||
      keys->batch != batch_of(queries))
    return false;
  const auto split = split_axes(*g.dims, keys->batch, keys->apart);
  if (!split) return false;
  Node shared = node;
  shared.inputs = {no_value, keys->once, values->once};
  std::vector<Node> views;
  shared.inputs[0] =
      TRY(append_reshape(g, views, node.inputs[0], with_batch(keys->apart, queries), node.provenance));
  if (node.inputs.size() > 3 && node.inputs[3] != no_value) {
    const std::vector<Dim> mask = g.values[node.inputs[3]].type.shape;
    if (mask.size() < 2) return false;
    const auto batch = split_broadcast(*g.dims, batch_of(mask), keys->batch, *split);
    if (!batch) return false;
    shared.inputs.push_back(
        TRY(append_reshape(g, views, node.inputs[3], with_batch(*batch, mask), node.provenance)));
  }
  shared.outputs = {g.add_value({})};
  TRY(infer(g, shared));
  const ValueId attended = shared.outputs[0];
  views.push_back(std::move(shared));
  TRY(append_reshape(g, views, attended, result, node.provenance, node.outputs[0]));
  std::move(views.begin(), views.end(), std::back_inserter(out));
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) { return rewrite_lowered_graphs(graph, rewrite); }

}  // namespace

extern const Pass pass_share_heads;
const Pass pass_share_heads = {
    "share_heads", "keys and values that are repeated for several heads are read by these where they lie",
    run};

}  // namespace burnish
