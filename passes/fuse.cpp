#include <algorithm>
#include <map>
#include <set>

#include "ir/anchor.h"
#include "ir/halves.h"
#include "passes/fusable.h"
#include "passes/fused_node.h"
#include "passes/pass.h"

namespace burnish {

namespace {

/// Groups a first node with the pointwise nodes that follow from it, as far as one result leaves the group, and a reduction with
/// those before it as well. On the way the two halves of a contraction's columns may become operands of one node.
class Fuser {
 public:
  Fuser(Graph& g, const UsualExtent& usual)
      : g_(g), usual_(usual), uses_(g.use_counts()), taken_(g.nodes.size()) {}

  bool run() {
    bool changed = false;
    for (const Kind kind : {Kind::anchor, Kind::reduction, Kind::pointwise})
      for (size_t i = 0; i < g_.nodes.size(); ++i)
        if (!taken_[i] && !g_.nodes[i].dead && kind_of(g_.nodes[i]) == kind) changed = grow(i) || changed;
    if (changed) replace();
    return changed;
  }

 private:
  /// What begins a group, and in which order: reductions take what products and their like have left.
  enum class Kind { anchor, reduction, pointwise, none };
  Kind kind_of(const Node& node) const {
    if (is_pointwise(node)) return Kind::pointwise;
    if (readings_of(g_, node) > 0) return Kind::reduction;
    return has_epilogue(g_, node) ? Kind::anchor : Kind::none;
  }

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
    return std::span(node.inputs).first(is_cut(node) ? 1 : node.inputs.size());
  }

  std::set<ValueId> operands_of_all(const std::vector<size_t>& nodes) const {
    std::set<ValueId> made, read;
    for (size_t n : nodes) {
      for (ValueId v : operands_of(n)) read.insert(v);
      for (ValueId v : g_.nodes[n].outputs) made.insert(v);
    }
    std::erase_if(read, [&](ValueId v) { return v == no_value || made.contains(v); });
    return read;
  }

  /// The pointwise nodes before a reduction that its kernel computes, in order: they make as many elements as it reads, and what they
  /// make nobody else reads. All or none, for what is left of them would have to store as much.
  std::vector<size_t> producers_of(size_t reduction) const {
    const Node& reader = g_.nodes[reduction];
    std::vector<size_t> group;
    if (readings_of(g_, reader) == 0) return group;
    const std::vector<Dim>& shape = g_.values[reader.inputs[0]].type.shape;
    std::map<ValueId, uint32_t> inside{{reader.inputs[0], 1}};  // how often it is read there
    for (size_t n = reduction; n-- > 0 && group.size() + 1 < most_fused_nodes;) {
      const Node& node = g_.nodes[n];
      if (taken_[n] || node.dead || !is_pointwise(node)) continue;
      const auto read = inside.find(node.outputs[0]);
      if (read == inside.end() || read->second != uses_[read->first] ||
          g_.values[read->first].type.shape != shape)
        continue;
      group.insert(group.begin(), n);
      for (ValueId v : node.inputs) ++inside[v];
    }
    const std::set<ValueId> operands = operands_of_all(group);
    const bool room = operands.size() + reader.inputs.size() - 1 <= most_fused_operands;
    if (room && pays_to_compute(g_, reader, count_whole(g_, operands, shape), usual_)) return group;
    return {};
  }

  bool grow(size_t first) {
    std::vector<size_t> group = producers_of(first), best;
    group.push_back(first);
    if (group.size() > 1) best = group;
    const Node& anchor = g_.nodes[first];
    const std::vector<Dim>* shape = &g_.values[anchor.outputs[0]].type.shape;
    std::set<ValueId> made(anchor.outputs.begin(), anchor.outputs.end());
    Halves halves;
    if (size_t axis = 0;
        is_contraction(anchor) && halves_columns(g_, anchor, g_.constant(anchor.inputs[1]), axis))
      halves.axis = axis;
    const bool ends = is_pointwise(anchor) || has_epilogue(g_, anchor);
    for (size_t n = first + 1; ends && n < g_.nodes.size() && group.size() < most_fused_nodes; ++n) {
      const Node& node = g_.nodes[n];
      if (taken_[n] || node.dead) continue;
      const bool follows = is_pointwise(node) && g_.values[node.outputs[0]].type.shape == *shape;
      if (!follows && !halves.include(g_, node, made)) continue;
      if (std::none_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return made.contains(v); }))
        continue;
      group.push_back(n);
      if (operands_of_all(group).size() > most_fused_operands) {
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
  const UsualExtent& usual_;
  std::vector<uint32_t> uses_;
  std::vector<bool> taken_;
  std::map<size_t, std::vector<size_t>> groups_;  // by last node, whose place the group takes; ascending
};

Result<bool> run(Graph& graph, const PassContext& context) {
  return for_each_lowered_graph(graph,
                                [&](Graph& g) -> Result<bool> { return Fuser(g, context.usual).run(); });
}

}  // namespace

extern const Pass pass_fuse;
const Pass pass_fuse = {
    "fuse", "joins pointwise nodes, and those that follow a contraction or a normalization, into one node",
    run};

}  // namespace burnish
