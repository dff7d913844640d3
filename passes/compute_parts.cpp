#include <algorithm>

#include "ir/infer.h"
#include "passes/pass.h"
#include "passes/rewrite.h"

namespace burnish {

namespace {

/// Moves pointwise work from a concatenation to its parts, where it may be one kernel with what makes them.
class PartComputer {
 public:
  PartComputer(Graph& g, const std::vector<uint32_t>& uses, std::vector<Node>& out)
      : g_(g), uses_(uses), out_(out) {}

  Result<bool> rewrite(const Node& node) {
    if (!node.op->scalar || node.outputs.size() != 1) return false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Node* concat = sole_maker(node.inputs[i]);
      if (!concat || concat->op->name != "Concat") continue;
      axis_ = static_cast<size_t>(*concat->attrs.find<int64_t>("axis"));
      if (!is_worth_it(*concat) || !can_be_cut(node, i, *concat)) continue;
      TRY(compute(node, i, *concat));
      return true;
    }
    return false;
  }

 private:
  const Node* sole_maker(ValueId v) const {
    return v != no_value && uses_[v] == 1 ? g_.producer(v) : nullptr;
  }
  const std::vector<Dim>& shape(ValueId v) const { return g_.values[v].type.shape; }

  // Whether v is what a product leaves, in some layout, after pointwise work or not.
  bool is_of_product(ValueId v) const {
    const Node* node = sole_maker(v);
    if (!node) return false;
    if (is_contraction(*node)) return true;
    if (node->op->name == "Reshape" || node->op->name == "Transpose") return is_of_product(node->inputs[0]);
    return node->op->scalar && std::ranges::any_of(node->inputs, [&](ValueId x) { return is_of_product(x); });
  }

  bool is_constant(ValueId v) const {
    const Node* node = g_.producer(v);
    return g_.constant(v) || (node && node->op->name == "Expand" && g_.constant(node->inputs[0]));
  }

  // What no product makes must be read from memory anyway, with others or alone.
  bool is_worth_it(const Node& concat) const {
    return std::ranges::any_of(concat.inputs, [&](ValueId v) { return is_of_product(v); }) &&
           std::ranges::all_of(concat.inputs, [&](ValueId v) { return is_of_product(v) || is_constant(v); });
  }

  // Along the concatenation's axis; nullopt: v has no such axis, or one element for all.
  std::optional<size_t> cut_axis(ValueId v, size_t rank) const {
    const size_t missing = rank - shape(v).size();
    if (axis_ < missing || g_.dims->is_constant(shape(v)[axis_ - missing], 1)) return std::nullopt;
    return axis_ - missing;
  }

  // Whether what node reads beside its operand `whole` is there for each part: the same for all, or constants where it is known which.
  bool can_be_cut(const Node& node, size_t whole, const Node& concat) const {
    const std::vector<Dim>& all = shape(node.inputs[whole]);
    if (shape(node.outputs[0]) != all) return false;
    const bool known = std::ranges::all_of(
        concat.inputs, [&](ValueId part) { return g_.dims->value(shape(part)[axis_]).has_value(); });
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId v = node.inputs[i];
      const bool differs = i != whole && v != no_value && cut_axis(v, all.size());
      if (differs && !(known && g_.constant(v))) return false;
    }
    return true;
  }

  Result<ValueId> append(Node node) {
    TRY(infer(g_, node));
    out_.push_back(std::move(node));
    return out_.back().outputs[0];
  }

  // Elements [from, from + extent) of v, if it differs along the axis.
  Result<ValueId> cut(ValueId v, size_t rank, int64_t from, int64_t extent, const Node& of) {
    const auto axis = v == no_value ? std::nullopt : cut_axis(v, rank);
    if (!axis) return v;
    std::vector<ValueId> inputs{v};
    for (int64_t bound : {from, from + extent, static_cast<int64_t>(*axis)})
      inputs.push_back(g_.add_constant(Tensor::of<int64_t>(DType::i64, {1}, std::vector{bound})));
    return append({.op = find_op("Slice"),
                   .inputs = std::move(inputs),
                   .outputs = {g_.add_value({})},
                   .provenance = of.provenance});
  }

  Result<> compute(const Node& node, size_t whole, const Node& concat) {
    const size_t rank = shape(concat.outputs[0]).size();
    Node joined = concat;
    joined.outputs = node.outputs;
    int64_t from = 0;
    for (ValueId& part : joined.inputs) {
      const int64_t extent = g_.dims->value(shape(part)[axis_]).value_or(0);
      Node alone = node;
      for (size_t i = 0; i < node.inputs.size(); ++i)
        alone.inputs[i] = i == whole ? part : TRY(cut(node.inputs[i], rank, from, extent, node));
      alone.outputs = {g_.add_value({})};
      part = TRY(append(std::move(alone)));
      from += extent;
    }
    TRY(append(std::move(joined)));
    return {};
  }

  Graph& g_;
  const std::vector<uint32_t>& uses_;
  std::vector<Node>& out_;
  size_t axis_ = 0;
};

// One after the other: what a concatenation is moved behind may be all that kept another one from it.
Result<bool> compute_some(Graph& g) {
  const std::vector<uint32_t> uses = g.use_counts();
  const bool changed = TRY(rewrite_nodes(
      g, [&](const Node& node, std::vector<Node>& out) { return PartComputer(g, uses, out).rewrite(node); }));
  const std::vector<uint32_t> left = g.use_counts();
  std::erase_if(g.nodes,
                [&](const Node& node) { return node.op->name == "Concat" && left[node.outputs[0]] == 0; });
  g.index();
  return changed;
}

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_lowered_graph(graph, [](Graph& g) -> Result<bool> {
    bool changed = false;
    while (TRY(compute_some(g))) changed = true;
    return changed;
  });
}

}  // namespace

extern const Pass pass_compute_parts;
const Pass pass_compute_parts = {
    "compute_parts",
    "pointwise work on a concatenation of products is done on its parts, where it joins the products", run};

}  // namespace burnish
