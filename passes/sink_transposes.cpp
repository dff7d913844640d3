#include "passes/pass.h"
#include "passes/reshape_node.h"

namespace burnish {

namespace {

using Perm = std::vector<int64_t>;

Perm inverse(const Perm& perm) {
  Perm out(perm.size());
  for (size_t k = 0; k < perm.size(); ++k) out[static_cast<size_t>(perm[k])] = static_cast<int64_t>(k);
  return out;
}

class Sinker {
 public:
  explicit Sinker(Graph& g) : g_(g), uses_(g.use_counts()) {}

  Result<bool> run() {
    bool changed = false;
    std::vector<Node> nodes;
    for (const Node& node : g_.nodes) {  // producers are looked up in it: nothing moves
      if (node.dead) continue;
      const Node* transpose = changed ? nullptr : transpose_above(node);
      if (transpose) TRY(sink(*transpose, node, nodes));
      else nodes.push_back(node);
      changed = changed || transpose;
    }
    if (!changed) return false;
    g_.nodes = std::move(nodes);
    g_.index();
    return true;
  }

 private:
  // The transpose that stands between pointwise `node` and what it might be one kernel with.
  const Node* transpose_above(const Node& node) const {
    if (!node.op->scalar || node.outputs.size() != 1) return nullptr;
    const std::vector<Dim>& shape = g_.values[node.outputs[0]].type.shape;
    for (ValueId v : node.inputs) {
      const Node* transpose = g_.producer(v);
      if (!transpose || transpose->op->name != "Transpose" || g_.values[v].type.shape != shape) continue;
      const ValueId x = transpose->inputs[0];
      const Node* maker = g_.producer(x);
      const auto here = static_cast<uint32_t>(std::count(node.inputs.begin(), node.inputs.end(), v));
      if (maker && (is_contraction(*maker) || maker->op->scalar) && uses_[x] == 1 && uses_[v] == here)
        return transpose;
    }
    return nullptr;
  }

  Result<ValueId> transposed(ValueId x, const Perm& perm, const std::vector<std::string>& provenance,
                             std::vector<Node>& out, ValueId result = no_value) {
    Node node{.op = find_op("Transpose"),
              .attrs = attrs_of("Transpose", {{"perm", perm}}),
              .inputs = {x},
              .outputs = {result == no_value ? g_.add_value({}) : result},
              .provenance = provenance};
    TRY(infer(g_, node));
    out.push_back(std::move(node));
    return out.back().outputs[0];
  }

  Result<> sink(const Node& transpose, const Node& node, std::vector<Node>& out) {
    const Perm perm = *transpose.attrs.find<Perm>("perm"), back = inverse(perm);
    Node moved = node;
    for (ValueId& v : moved.inputs) {
      if (v == transpose.outputs[0]) {
        v = transpose.inputs[0];
        continue;
      }
      std::vector<Dim> shape = g_.values[v].type.shape;
      if (shape.empty()) continue;
      if (shape.size() < perm.size()) {
        shape.insert(shape.begin(), perm.size() - shape.size(), g_.dims->constant(1));
        v = TRY(append_reshape(g_, out, v, std::move(shape), node.provenance));
      }
      v = TRY(transposed(v, back, node.provenance, out));
    }
    moved.outputs = {g_.add_value({})};
    TRY(infer(g_, moved));
    const ValueId result = moved.outputs[0];
    out.push_back(std::move(moved));
    TRY(transposed(result, perm, node.provenance, out, node.outputs[0]));
    return {};
  }

  Graph& g_;
  std::vector<uint32_t> uses_;
};

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_lowered_graph(graph, [](Graph& g) -> Result<bool> {
    bool changed = false;
    while (TRY(Sinker(g).run())) changed = true;
    return changed;
  });
}

}  // namespace

extern const Pass pass_sink_transposes;
const Pass pass_sink_transposes = {
    "sink_transposes",
    "moves transposes of products behind the pointwise nodes that follow, which can be one kernel then", run};

}  // namespace burnish
