#include "ops/emit.h"
#include "ops/gemm.h"
#include "passes/pass.h"
#include "passes/reshape_node.h"
#include "passes/rewrite.h"

namespace burnish {

namespace {

class Unflattener {
 public:
  explicit Unflattener(Graph& g) : g_(g), uses_(g.use_counts()) {}

  Result<bool> run() {
    return rewrite_nodes(g_, [&](const Node& node, std::vector<Node>& out) { return rewrite(node, out); });
  }

 private:
  // Reshape(Gemm(Reshape(x), w, b)) that leaves the last axis alone: the rows get their axes at once.
  Result<bool> rewrite(const Node& node, std::vector<Node>& out) {
    const Node* gemm = node.op->name == "Reshape" ? g_.producer(node.inputs[0]) : nullptr;
    if (!gemm || gemm->op->name != "Gemm" || uses_[node.inputs[0]] != 1) return false;
    const GemmAttrs& attrs = gemm->attrs.as<GemmAttrs>();
    const Node* flatten = g_.producer(gemm->inputs[0]);
    if (!flatten || flatten->op->name != "Reshape" || attrs.alpha != 1 || attrs.beta != 1 || attrs.trans_a)
      return false;
    std::vector<Dim> rows = g_.values[node.outputs[0]].type.shape;
    const bool biased = gemm->inputs.size() > 2 && gemm->inputs[2] != no_value;
    if (rows.size() < 3 || rows.back() != g_.values[gemm->outputs[0]].type.shape[1] ||
        (biased && g_.values[gemm->inputs[2]].type.shape.size() != 1))
      return false;
    rows.back() = g_.values[gemm->inputs[0]].type.shape[1];
    const ValueId x = TRY(append_reshape(g_, out, flatten->inputs[0], std::move(rows), flatten->provenance));
    ValueId w = gemm->inputs[1];
    if (attrs.trans_b) w = TRY(append(out, "Transpose", {{"perm", std::vector<int64_t>{1, 0}}}, {w}, *gemm));
    const ValueId product =
        TRY(append(out, "MatMul", {}, {x, w}, *gemm, biased ? no_value : node.outputs[0]));
    if (biased) TRY(append(out, "Add", {}, {product, gemm->inputs[2]}, *gemm, node.outputs[0]));
    return true;
  }

  Result<ValueId> append(std::vector<Node>& out, std::string_view op,
                         const std::vector<NamedAttribute>& attrs, std::vector<ValueId> inputs,
                         const Node& from, ValueId result = no_value) {
    Node node{.op = find_op(op),
              .attrs = attrs_of(op, attrs),
              .inputs = std::move(inputs),
              .outputs = {result == no_value ? g_.add_value({}) : result},
              .provenance = from.provenance};
    TRY(infer(g_, node));
    out.push_back(std::move(node));
    return out.back().outputs[0];
  }

  Graph& g_;
  std::vector<uint32_t> uses_;
};

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_lowered_graph(graph, [](Graph& g) { return Unflattener(g).run(); });
}

}  // namespace

extern const Pass pass_unflatten_products;
const Pass pass_unflatten_products = {
    "unflatten_products",
    "lets the rows of a product keep the axes that they are flattened from and spread to", run};

}  // namespace burnish
