#include <algorithm>

#include "ops/gemm.h"
#include "ops/layer_normalization/layer_normalization.h"
#include "passes/pass.h"
#include "passes/reshape_node.h"
#include "passes/rewrite.h"

namespace burnish {

namespace {

/// Whether `out` has the axes of `in` but for the last one split, one at least.
bool splits_rows(DimTable& dims, const std::vector<Dim>& in, const std::vector<Dim>& out) {
  if (in.empty() || out.size() <= in.size() || in.back() != out.back()) return false;
  size_t k = 0;
  for (size_t axis = 0; axis + 1 < in.size(); ++axis) {
    Dim product = out[k++];
    while (product != in[axis] && k + 1 < out.size()) product = dims.mul(product, out[k++]);
    if (product != in[axis]) return false;
  }
  return k + 1 == out.size();
}

/// Gives a value other rows by giving them to what it is computed from, row by row.
class RowSplitter {
 public:
  RowSplitter(Graph& g, const std::vector<uint32_t>& uses, std::vector<Dim> rows, std::vector<Node>& out)
      : g_(g), uses_(uses), rows_(std::move(rows)), out_(out) {}

  /// Appends the nodes that compute v with the new rows, as `result` if there is one; no_value where v is not computed row
  /// by row, or others want it as it is.
  Result<ValueId> recompute(ValueId v, ValueId result = no_value) {
    const Node* node = g_.producer(v);
    if (!node || uses_[v] != 1 || node->outputs.size() != 1) return no_value;
    const std::optional<size_t> operand = row_operand(*node);
    if (!operand) return no_value;
    if (node->op->name == "Gemm") return spell_out_gemm(*node, result);
    Node again = *node;
    again.inputs[*operand] = TRY(with_rows(node->inputs[*operand]));
    if (node->op->name.ends_with("Normalization")) {
      auto attrs = node->attrs.as<LayerNormalizationAttrs>();
      attrs.axis = std::ssize(rows_);
      again.attrs = attrs;
    }
    return append(std::move(again), result);
  }

 private:
  // The operand whose rows are those of the result.
  std::optional<size_t> row_operand(const Node& node) const {
    const std::string_view op = node.op->name;
    const std::vector<Dim>& shape = g_.values[node.outputs[0]].type.shape;
    if (op == "LayerNormalization" || op == "RMSNormalization") {
      const bool last = node.attrs.as<LayerNormalizationAttrs>().axis + 1 == std::ssize(shape);
      return last ? std::optional<size_t>(0) : std::nullopt;
    }
    if (op == "MatMul") {
      const bool rows =
          rank(node.inputs[0]) > 1 && rank(node.inputs[1]) == 2 && rows_.size() <= most_row_axes;
      return rows ? std::optional<size_t>(0) : std::nullopt;
    }
    if (op == "Gemm") {
      const auto& attrs = node.attrs.as<GemmAttrs>();
      const bool plain = attrs.alpha == 1 && attrs.beta == 1 && !attrs.trans_a &&
                         (node.inputs.size() < 3 || node.inputs[2] == no_value || rank(node.inputs[2]) < 2);
      return plain && rows_.size() <= most_row_axes ? std::optional<size_t>(0) : std::nullopt;
    }
    if (!node.op->scalar) return std::nullopt;
    std::optional<size_t> whole;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == no_value || rank(node.inputs[i]) < 2) continue;
      if (whole || g_.values[node.inputs[i]].type.shape != shape) return std::nullopt;
      whole = i;
    }
    return whole;
  }

  size_t rank(ValueId v) const { return g_.values[v].type.shape.size(); }

  Result<ValueId> with_rows(ValueId v) {
    if (const ValueId made = TRY(recompute(v)); made != no_value) return made;
    std::vector<Dim> shape = rows_;
    shape.push_back(g_.values[v].type.shape.back());
    const Node* node = g_.producer(v);
    const ValueId x = node && node->op->name == "Reshape" ? node->inputs[0] : v;
    return append_reshape(g_, out_, x, std::move(shape),
                          node ? node->provenance : std::vector<std::string>());
  }

  Result<ValueId> append(Node node, ValueId result) {
    node.outputs = {result == no_value ? g_.add_value({}) : result};
    TRY(infer(g_, node));
    const ValueId made = node.outputs[0];
    out_.push_back(std::move(node));
    return made;
  }

  Result<ValueId> spell_out_gemm(const Node& gemm, ValueId result) {
    ValueId weight = gemm.inputs[1];
    if (gemm.attrs.as<GemmAttrs>().trans_b)
      weight = TRY(append({.op = find_op("Transpose"),
                           .attrs = attrs_of("Transpose", {{"perm", std::vector<int64_t>{1, 0}}}),
                           .inputs = {weight},
                           .provenance = gemm.provenance},
                          no_value));
    const bool adds = gemm.inputs.size() > 2 && gemm.inputs[2] != no_value;
    const ValueId x = TRY(with_rows(gemm.inputs[0]));
    const ValueId product =
        TRY(append({.op = find_op("MatMul"), .inputs = {x, weight}, .provenance = gemm.provenance},
                   adds ? no_value : result));
    if (!adds) return product;
    return append({.op = find_op("Add"), .inputs = {product, gemm.inputs[2]}, .provenance = gemm.provenance},
                  result);
  }

  static constexpr size_t most_row_axes = 5;  // of a matrix product on a device

  Graph& g_;
  const std::vector<uint32_t>& uses_;
  std::vector<Dim> rows_;
  std::vector<Node>& out_;
};

bool is_transposed(const Graph& g, ValueId v) {
  return std::any_of(g.nodes.begin(), g.nodes.end(), [&](const Node& node) {
    return !node.dead && node.op->name == "Transpose" && node.inputs[0] == v;
  });
}

Result<bool> rewrite(Graph& g, const std::vector<uint32_t>& uses, const Node& node, std::vector<Node>& out) {
  if (node.op->name != "Reshape") return false;
  const std::vector<Dim> shape = g.values[node.outputs[0]].type.shape;
  if (!splits_rows(*g.dims, g.values[node.inputs[0]].type.shape, shape) || !is_transposed(g, node.outputs[0]))
    return false;
  RowSplitter splitter(g, uses, {shape.begin(), shape.end() - 1}, out);
  return TRY(splitter.recompute(node.inputs[0], node.outputs[0])) != no_value;
}

Result<bool> run(Graph& graph, const PassContext&) { return rewrite_lowered_graphs(graph, rewrite); }

}  // namespace

extern const Pass pass_split_rows;
const Pass pass_split_rows = {"split_rows",
                              "splits rows that are to be transposed before they are computed, so that they "
                              "are written in their new order",
                              run};

}  // namespace burnish
