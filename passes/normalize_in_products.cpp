#include "passes/normalize_in_products.h"

#include "ir/anchor.h"
#include "ir/infer.h"
#include "ops/gemm.h"
#include "ops/layer_normalization/layer_normalization.h"
#include "passes/fused_node.h"
#include "passes/pass.h"
#include "passes/rewrite.h"

namespace burnish {

namespace {

bool normalizes(const Node& node) {
  return node.op->name == "LayerNormalization" || node.op->name == "RMSNormalization";
}

bool is_product(const Node& node) {
  return node.op->name == "MatMul" || (node.op->name == "Gemm" && !node.attrs.as<GemmAttrs>().trans_a);
}

// Operand i of the product that `node` is or begins with, as the graph knows it; no_value where the body makes it.
ValueId product_operand(const Node& node, size_t i) {
  if (node.op->name != "Fused") return node.inputs[i];
  const Graph& body = node.regions[0];
  const auto at = std::ranges::find(body.inputs, anchor_of(node).inputs[i]);
  return at == body.inputs.end() ? no_value : node.inputs[static_cast<size_t>(at - body.inputs.begin())];
}

// What makes the rows that a product multiplies: a normalisation, maybe with its rows in another order.
struct Rows {
  const Node* normalization = nullptr;
  const Node* transposition = nullptr;
};

Rows rows_of(const Graph& g, const Node& node) {
  const ValueId x = is_product(anchor_of(node)) ? product_operand(node, 0) : no_value;
  Rows rows;
  if (x != no_value) rows.normalization = g.producer(x);
  if (rows.normalization && rows.normalization->op->name == "Transpose") {
    const auto& perm = *rows.normalization->attrs.find<std::vector<int64_t>>("perm");
    if (perm.back() + 1 != std::ssize(perm)) return {};
    rows.transposition = rows.normalization;
    rows.normalization = g.producer(rows.transposition->inputs[0]);
  }
  return rows.normalization && normalizes(*rows.normalization) ? rows : Rows{};
}

bool is_stored_row(const Graph& g, ValueId v, Dim length) {
  return g.constant(v) && g.values[v].type.shape == std::vector{length};
}

Verdict verdict(const Graph& g, const std::vector<uint32_t>& uses, const Node& node, const Rows& rows) {
  const Node& norm = *rows.normalization;
  const std::vector<Dim>& shape = g.values[norm.inputs[0]].type.shape;
  if (size_of(g.values[norm.inputs[0]].type.dtype) != 2)
    return Verdict::no("its elements are not of 16 bits");
  if (norm.outputs.size() != 1 || uses[norm.outputs[0]] > 1 ||
      (rows.transposition && uses[rows.transposition->outputs[0]] > 1))
    return Verdict::no("others read what it makes");
  if (norm.inputs.size() > 3) return Verdict::no("it picks its rows by a table");
  if (norm.attrs.as<LayerNormalizationAttrs>().axis + 1 != std::ssize(shape))
    return Verdict::no("it is over more than the last axis");
  for (size_t i = 1; i < norm.inputs.size(); ++i)
    if (!is_stored_row(g, norm.inputs[i], shape.back()))
      return Verdict::no("its scale or bias is no stored number for each column");
  const ValueId weight = product_operand(node, 1);
  if (weight == no_value || !g.constant(weight) || g.values[weight].type.shape.size() != 2)
    return Verdict::no("the weight is no stored matrix");
  if (node.inputs.size() + norm.inputs.size() - 1 > most_fused_operands)
    return Verdict::no("together they would read more than " + std::to_string(most_fused_operands) +
                       " tensors");
  return Verdict::yes();
}

// The product with the normalisation before it in one body, of rows in the order that the product wants.
Result<bool> rewrite(Graph& g, const std::vector<uint32_t>& uses, const Node& node, std::vector<Node>& out) {
  const Rows rows = rows_of(g, node);
  if (!rows.normalization || !verdict(g, uses, node, rows)) return false;
  Node norm = *rows.normalization, product = node;
  if (rows.transposition) {
    Node transposition = *rows.transposition;
    transposition.inputs[0] = norm.inputs[0];
    transposition.outputs = {g.add_value({})};
    TRY(infer(g, transposition));
    norm.inputs[0] = transposition.outputs[0];
    norm.outputs = rows.transposition->outputs;
    out.push_back(std::move(transposition));
  }
  Node* const parts[] = {&norm, &product};
  out.push_back(fused_node(g, parts, node.outputs));
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) { return rewrite_lowered_graphs(graph, rewrite); }

}  // namespace

std::vector<std::string> normalization_reasons(const Graph& g) {
  std::vector<std::string> reasons;
  const std::vector<uint32_t> uses = g.use_counts();
  for (const Node& node : g.nodes) {
    if (node.dead) continue;
    if (const Rows rows = rows_of(g, node); rows.normalization)
      if (const Verdict v = verdict(g, uses, node, rows); !v)
        reasons.push_back(describe(node) + ": it does not do the work of " + describe(*rows.normalization) +
                          " itself: " + v.reason());
  }
  return reasons;
}

extern const Pass pass_normalize_in_products;
const Pass pass_normalize_in_products = {
    "normalize_in_products", "products normalise the rows that they multiply, which are then in memory once",
    run};

}  // namespace burnish
