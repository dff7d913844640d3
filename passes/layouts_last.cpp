#include <algorithm>
#include <optional>
#include <set>

#include "passes/pass.h"
#include "passes/reshape_node.h"
#include "passes/rewrite.h"
#include "passes/split_axes.h"

namespace burnish {

namespace {

bool is_pointwise(const Node& node) { return node.op->scalar && node.outputs.size() == 1; }

/// Whether a reshape joins neighbouring axes and nothing else: undone, it is a view of whatever lies in memory.
bool joins_axes(DimTable& dims, const std::vector<Dim>& in, const std::vector<Dim>& out) {
  return split_axes(dims, out, in).has_value();
}

/// Whether pointwise work on what `node` leaves may come before it. `alone`: it reads single numbers beside that, which fit any shape.
bool is_layout(const Graph& g, const Node& node, bool alone) {
  if (node.op->name == "Transpose") return true;
  return node.op->name == "Reshape" && (alone || joins_axes(*g.dims, g.values[node.inputs[0]].type.shape,
                                                            g.values[node.outputs[0]].type.shape));
}

class Delayer {
 public:
  explicit Delayer(Graph& g) : g_(g), uses_(g.use_counts()) {}

  Result<bool> run() {
    const bool changed =
        TRY(rewrite_nodes(g_, [&](const Node& node, std::vector<Node>& out) { return rewrite(node, out); }));
    std::erase_if(g_.nodes, [&](const Node& node) {
      return node.outputs.size() == 1 && unread_.contains(node.outputs[0]);
    });
    g_.index();
    return changed;
  }

 private:
  const Node* sole_maker(ValueId v) const {
    return v != no_value && uses_[v] == 1 ? g_.producer(v) : nullptr;
  }

  // Whether v is what a product or pointwise work leaves, in another layout: what may be one kernel with work that follows.
  bool is_computed(ValueId v, bool alone) const {
    const Node* node = sole_maker(v);
    if (!node) return false;
    return is_contraction(*node) || is_pointwise(*node) ||
           (is_layout(g_, *node, alone) && is_computed(node->inputs[0], alone));
  }

  bool reads_numbers_beside(const Node& node, size_t operand) const {
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (i != operand && node.inputs[i] != no_value && !g_.values[node.inputs[i]].type.shape.empty())
        return false;
    return true;
  }

  // The operand of a pointwise node that only its layout keeps apart from what it might be one kernel with.
  std::optional<size_t> delayed_operand(const Node& node) const {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Node* layout = sole_maker(node.inputs[i]);
      const bool alone = reads_numbers_beside(node, i);
      if (!layout || !is_layout(g_, *layout, alone)) continue;
      if (g_.values[node.inputs[i]].type.shape == g_.values[node.outputs[0]].type.shape &&
          is_computed(layout->inputs[0], alone))
        return i;
    }
    return std::nullopt;
  }

  // v as it lies before `layout`; appends what turns it back. no_value where it cannot be.
  Result<ValueId> before(const Node& layout, ValueId v, std::vector<Node>& out) {
    const std::vector<Dim> shape = g_.values[v].type.shape;
    if (shape.empty()) return v;
    const std::vector<Dim> from = g_.values[layout.inputs[0]].type.shape,
                           to = g_.values[layout.outputs[0]].type.shape;
    if (layout.op->name == "Reshape") {
      if (shape == to) return append_reshape(g_, out, v, from, layout.provenance);
      const bool same_axes = shape.size() <= from.size() &&
                             std::equal(shape.rbegin(), shape.rend(), from.rbegin()) &&
                             std::equal(shape.rbegin(), shape.rend(), to.rbegin());
      if (same_axes) return v;
      const auto split = split_axes(*g_.dims, to, from);
      auto apart = split ? split_broadcast(*g_.dims, shape, to, *split) : std::nullopt;
      return apart ? append_reshape(g_, out, v, *std::move(apart), layout.provenance) : no_value;
    }
    if (shape.size() < to.size()) {
      std::vector<Dim> all(to.size() - shape.size(), g_.dims->constant(1));
      all.insert(all.end(), shape.begin(), shape.end());
      v = TRY(append_reshape(g_, out, v, std::move(all), layout.provenance));
    }
    const auto perm = *layout.attrs.find<std::vector<int64_t>>("perm");
    std::vector<int64_t> inverse(perm.size());
    for (size_t k = 0; k < perm.size(); ++k) inverse[static_cast<size_t>(perm[k])] = static_cast<int64_t>(k);
    Node back{.op = find_op("Transpose"),
              .attrs = attrs_of("Transpose", {{"perm", inverse}}),
              .inputs = {v},
              .outputs = {g_.add_value({})},
              .provenance = layout.provenance};
    TRY(infer(g_, back));
    out.push_back(back);
    return back.outputs[0];
  }

  Result<bool> rewrite(const Node& node, std::vector<Node>& out) {
    if (!is_pointwise(node)) return false;
    const std::optional<size_t> operand = delayed_operand(node);
    if (!operand) return false;
    const Node& layout = *g_.producer(node.inputs[*operand]);
    std::vector<Node> nodes;
    Node first = node, last = layout;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      first.inputs[i] = i == *operand ? layout.inputs[0] : TRY(before(layout, node.inputs[i], nodes));
      if (first.inputs[i] == no_value) return false;
    }
    first.outputs = {g_.add_value({})};
    TRY(infer(g_, first));
    last.inputs[0] = first.outputs[0];
    last.outputs = node.outputs;
    TRY(infer(g_, last));
    unread_.insert(node.inputs[*operand]);
    std::move(nodes.begin(), nodes.end(), std::back_inserter(out));
    out.push_back(std::move(first));
    out.push_back(std::move(last));
    return true;
  }

  Graph& g_;
  std::vector<uint32_t> uses_;
  std::set<ValueId> unread_;  // results of layouts that have moved
};

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_lowered_graph(graph, [](Graph& g) -> Result<bool> {
    bool changed = false;
    while (TRY(Delayer(g).run())) changed = true;
    return changed;
  });
}

}  // namespace

extern const Pass pass_layouts_last;
const Pass pass_layouts_last = {"layouts_last",
                                "moves transposes and reshapes behind the pointwise work that follows a "
                                "product, so that it joins the product",
                                run};

}  // namespace burnish
