#include <algorithm>
#include <map>
#include <set>

#include "ir/anchor.h"
#include "ir/halves.h"
#include "passes/fuse.h"
#include "passes/fused_node.h"
#include "passes/merge_pointwise.h"
#include "passes/normalize_in_products.h"
#include "passes/pass.h"

namespace burnish {

namespace {

/// Whether `node` picks by a table, so that it is no view: of indices in even steps their elements are known.
bool picks_rows(const Graph& g, const Node& node) {
  if (node.op->name != "Gather") return false;
  const bool list = g.values[node.inputs[1]].type.shape.size() == 1 && !g.constant(node.inputs[1]);
  return list || g.values[node.inputs[1]].type.shape.size() > 1;
}

/// Whether the kernel of `node` ends in an epilogue, with room for the pointwise nodes that follow.
bool has_epilogue(const Graph& g, const Node& node) {
  const bool normalizes = node.op->name == "InstanceNormalization" || node.op->name == "GroupNormalization";
  const DType dtype = g.values[node.outputs[0]].type.dtype;
  return is_contraction(node) ||
         ((normalizes || picks_rows(g, node)) && is_float(dtype) && dtype != DType::f64);
}

/// Whether the kernel of `node` can end with the halves of its result's columns side by side, for it lays out its weight so.
Verdict halves_columns(const Graph& g, const Node& node, const Tensor* weight, size_t& axis) {
  if (!is_contraction(node) || node.op->name == "ConvTranspose")
    return Verdict::no("its kernel brings no halves together");
  if (!weight) return Verdict::no("its weight is computed, not stored");
  const bool conv = node.op->name == "Conv";
  axis = conv ? 1 : g.values[node.outputs[0]].type.shape.size() - 1;
  if (conv && *node.attrs.find<int64_t>("group") != 1) return Verdict::no("its channels are in groups");
  if (!conv && weight->shape().size() != 2) return Verdict::no("it has several weights");
  return Verdict::yes();
}

/// Groups a first node with the pointwise nodes that follow from it, as far as one result leaves the group. On the way the two
/// halves of a contraction's columns may become operands of one node.
class Fuser {
 public:
  explicit Fuser(Graph& g) : g_(g), uses_(g.use_counts()), taken_(g.nodes.size()) {}

  bool run() {
    bool changed = false;
    for (const bool anchors : {true, false})
      for (size_t i = 0; i < g_.nodes.size(); ++i)
        if (!taken_[i] && !g_.nodes[i].dead &&
            (anchors ? has_epilogue(g_, g_.nodes[i]) : is_pointwise(g_.nodes[i])))
          changed = grow(i) || changed;
    if (changed) replace();
    return changed;
  }

 private:
  /// The columns that a group halves, from a group's beginning to its end.
  struct Halves {
    std::optional<size_t> axis;  // of the columns; nothing: they cannot be halved
    ValueId whole = no_value;
    bool taken[2] = {};

    /// Whether each result of `node` is a half of the columns of something that was made before.
    bool include(const Graph& g, const Node& node, const std::set<ValueId>& made) {
      Halves more = *this;
      for (size_t i = 0; axis && i < node.outputs.size(); ++i) {
        const auto half = half_of(g, node, i);
        if (!half || half->axis != axis || !made.contains(half->whole)) return false;
        if (whole != no_value && half->whole != whole) return false;
        more.whole = half->whole;
        more.taken[half->second] = true;
      }
      if (more.whole == no_value) return false;
      *this = more;
      return true;
    }
    bool complete() const { return whole == no_value || (taken[0] && taken[1]); }
  };

  // The one value that others read of what `nodes` make, or no_value if there are several.
  ValueId single_result(const std::vector<size_t>& nodes) const {
    std::map<ValueId, uint32_t> inside;
    for (size_t n : nodes)
      for (ValueId v : g_.nodes[n].inputs)
        if (v != no_value) ++inside[v];
    ValueId result = no_value;
    for (size_t n : nodes)
      for (ValueId v : g_.nodes[n].outputs) {
        if (v == no_value || uses_[v] == inside[v]) continue;
        if (result != no_value) return no_value;
        result = v;
      }
    return result;
  }

  // A node that takes halves has no operands beside: where they begin is part of what it is.
  std::span<const ValueId> operands_of(size_t n) const {
    const Node& node = g_.nodes[n];
    const bool halves = !is_pointwise(node) && !has_epilogue(g_, node);
    return std::span(node.inputs).first(halves ? 1 : node.inputs.size());
  }

  size_t operand_count(const std::vector<size_t>& nodes) const {
    std::set<ValueId> made, read;
    for (size_t n : nodes) {
      for (ValueId v : operands_of(n)) read.insert(v);
      for (ValueId v : g_.nodes[n].outputs) made.insert(v);
    }
    return static_cast<size_t>(std::count_if(read.begin(), read.end(),
                                             [&](ValueId v) { return v != no_value && !made.contains(v); }));
  }

  bool grow(size_t first) {
    std::vector<size_t> group{first}, best;
    const Node& anchor = g_.nodes[first];
    const std::vector<Dim>* shape = &g_.values[anchor.outputs[0]].type.shape;
    std::set<ValueId> made(anchor.outputs.begin(), anchor.outputs.end());
    Halves halves;
    if (size_t axis = 0;
        is_contraction(anchor) && halves_columns(g_, anchor, g_.constant(anchor.inputs[1]), axis))
      halves.axis = axis;
    for (size_t n = first + 1; n < g_.nodes.size() && group.size() < most_fused_nodes; ++n) {
      const Node& node = g_.nodes[n];
      if (taken_[n] || node.dead) continue;
      const bool follows = is_pointwise(node) && g_.values[node.outputs[0]].type.shape == *shape;
      if (!follows && !halves.include(g_, node, made)) continue;
      if (std::none_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return made.contains(v); }))
        continue;
      group.push_back(n);
      if (operand_count(group) > most_fused_operands) {
        group.pop_back();
        continue;
      }
      made.insert(node.outputs.begin(), node.outputs.end());
      shape = &g_.values[node.outputs[0]].type.shape;
      if (follows && halves.complete() && single_result(group) == node.outputs[0]) best = group;
      if (uses_[node.outputs[0]] == 0) break;
    }
    if (best.size() < 2) return false;
    for (size_t n : best) taken_[n] = true;
    groups_[best.back()] = best;
    return true;
  }

  void replace() {
    std::vector<Node> nodes;
    for (size_t i = 0; i < g_.nodes.size(); ++i) {
      if (auto it = groups_.find(i); it != groups_.end()) {
        std::vector<Node*> parts;
        for (size_t n : it->second) parts.push_back(&g_.nodes[n]);
        nodes.push_back(fused_node(g_, parts, {g_.nodes[i].outputs[0]}));
      } else if (!taken_[i]) {
        nodes.push_back(std::move(g_.nodes[i]));
      }
    }
    g_.nodes = std::move(nodes);
    g_.index();
  }

  Graph& g_;
  std::vector<uint32_t> uses_;
  std::vector<bool> taken_;
  std::map<size_t, std::vector<size_t>> groups_;  // by last node, whose place the group takes; ascending
};

const Graph& inner_graph(const Graph& g, const Node& node) {
  return node.op->name == "Fused" ? node.regions[0] : g;
}
bool is_cut(const Node& node) { return node.op->name == "Slice" || node.op->name == "Split"; }
size_t size_of_group(const Node& node) { return node.op->name == "Fused" ? node.regions[0].nodes.size() : 1; }

/// Why `node` does not follow in the epilogue of `before`, which writes what it reads.
std::string why_apart(const Graph& g, const Node& before, const Node& node, bool read_by_others) {
  const std::string name = describe(before);
  if (g.values[before.outputs[0]].type.shape != g.values[node.outputs[0]].type.shape)
    return "its result has another shape than what it reads of " + name;
  if (read_by_others) return "what it reads of " + name + " is read by others too";
  if (size_of_group(before) + size_of_group(node) > most_fused_nodes)
    return "with " + name + " it would be more than " + std::to_string(most_fused_nodes) + " nodes";
  if (before.inputs.size() + node.inputs.size() - 1 > most_fused_operands)
    return "with " + name + " it would read more than " + std::to_string(most_fused_operands) + " tensors";
  return "it reads what is made after " + name + " has begun";
}

/// Why the halves that `view` may take of what `before` writes do not come together in its kernel.
std::string why_parted(const Graph& g, const Node& before, const Node& view) {
  const Node& anchor = anchor_of(before);
  const Graph& inner = inner_graph(g, before);
  const auto weight =
      static_cast<size_t>(std::ranges::find(inner.inputs, anchor.inputs[1]) - inner.inputs.begin());
  size_t axis = 0;
  if (const Verdict v = halves_columns(
          inner, anchor, g.constant(&inner == &g ? anchor.inputs[1] : before.inputs[weight]), axis);
      !v)
    return v.reason();
  const auto is_half = [&](const Node& node) {
    const auto half = half_of(g, node);
    return half && half->axis == axis && half->whole == view.inputs[0];
  };
  if (!is_half(view)) return "they are no halves of its columns";
  const auto readers = std::ranges::count_if(g.nodes, is_half);
  if (g.use_counts()[view.inputs[0]] > readers) return "others read all its columns";
  return "what is made of both halves does not end in one result";
}

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_lowered_graph(graph, [](Graph& g) -> Result<bool> { return Fuser(g).run(); });
}

}  // namespace

std::vector<std::string> fusion_reasons(const Graph& g, const UsualExtent& usual) {
  std::vector<std::string> reasons = merge_reasons(g, usual);
  std::ranges::move(normalization_reasons(g), std::back_inserter(reasons));
  std::map<ValueId, const Node*> makers;
  std::map<ValueId, std::pair<const Node*, const Node*>>
      parts;  // of what a contraction makes: it, and the view
  const std::vector<uint32_t> uses = g.use_counts();
  for (const Node& node : g.nodes) {
    if (node.dead) continue;
    if (node.op->name == "If")
      for (const Graph& region : node.regions)
        for (std::string& reason : fusion_reasons(region, usual)) reasons.push_back(std::move(reason));
    const Node& anchor = anchor_of(node);
    const bool can_follow = is_pointwise(anchor);
    const auto whole = is_cut(node) ? makers.find(node.inputs[0]) : makers.end();
    if (whole != makers.end() && is_contraction(anchor_of(*whole->second)))
      for (ValueId v : node.outputs) parts[v] = {whole->second, &node};
    std::set<ValueId> told;
    for (ValueId v : node.inputs) {
      if (!can_follow || !told.insert(v).second) continue;
      if (const auto part = parts.find(v); part != parts.end()) {
        const auto [before, view] = part->second;
        if (told.insert(view->inputs[0]).second)
          reasons.push_back(describe(node) + ": what it reads are parts of what " + describe(*before) +
                            " makes: " + why_parted(g, *before, *view));
      }
      const auto maker = makers.find(v);
      if (maker == makers.end()) continue;
      const auto here = static_cast<uint32_t>(std::count(node.inputs.begin(), node.inputs.end(), v));
      reasons.push_back(describe(node) + ": " + why_apart(g, *maker->second, node, uses[v] > here));
    }
    if (has_epilogue(inner_graph(g, node), anchor)) makers[node.outputs[0]] = &node;
  }
  return reasons;
}

extern const Pass pass_fuse;
const Pass pass_fuse = {
    "fuse", "joins pointwise nodes, and those that follow a contraction or a normalization, into one node",
    run};

}  // namespace burnish
