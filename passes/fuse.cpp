#include <algorithm>
#include <map>
#include <set>

#include "passes/fuse.h"
#include "passes/fused_node.h"
#include "passes/merge_pointwise.h"
#include "passes/pass.h"

namespace burnish {

namespace {

/// Whether the kernel of `node` ends in an epilogue, with room for the pointwise nodes that follow.
bool has_epilogue(const Graph& g, const Node& node) {
  const bool normalizes = node.op->name == "InstanceNormalization" || node.op->name == "GroupNormalization";
  return is_contraction(node) || (normalizes && g.values[node.outputs[0]].type.dtype != DType::f64);
}

/// Groups a first node with the pointwise nodes that follow from it, as far as one result leaves the group.
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

  size_t operand_count(const std::vector<size_t>& nodes) const {
    std::set<ValueId> made, read;
    for (size_t n : nodes) {
      for (ValueId v : g_.nodes[n].inputs) read.insert(v);
      for (ValueId v : g_.nodes[n].outputs) made.insert(v);
    }
    return static_cast<size_t>(std::count_if(read.begin(), read.end(),
                                             [&](ValueId v) { return v != no_value && !made.contains(v); }));
  }

  bool grow(size_t first) {
    std::vector<size_t> group{first}, best;
    const std::vector<Dim>& shape = g_.values[g_.nodes[first].outputs[0]].type.shape;
    std::set<ValueId> made(g_.nodes[first].outputs.begin(), g_.nodes[first].outputs.end());
    for (size_t n = first + 1; n < g_.nodes.size() && group.size() < most_fused_nodes; ++n) {
      const Node& node = g_.nodes[n];
      if (taken_[n] || node.dead || !is_pointwise(node) || g_.values[node.outputs[0]].type.shape != shape)
        continue;
      if (std::none_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return made.contains(v); }))
        continue;
      group.push_back(n);
      if (operand_count(group) > most_fused_operands) {
        group.pop_back();
        continue;
      }
      made.insert(node.outputs[0]);
      if (single_result(group) == node.outputs[0]) best = group;
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

const Node& first_of(const Node& node) { return node.op->name == "Fused" ? node.regions[0].nodes[0] : node; }
const Graph& first_graph(const Graph& g, const Node& node) {
  return node.op->name == "Fused" ? node.regions[0] : g;
}
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

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_lowered_graph(graph, [](Graph& g) -> Result<bool> { return Fuser(g).run(); });
}

}  // namespace

std::vector<std::string> fusion_reasons(const Graph& g, const UsualExtent& usual) {
  std::vector<std::string> reasons = merge_reasons(g, usual);
  std::map<ValueId, const Node*> makers;
  const std::vector<uint32_t> uses = g.use_counts();
  for (const Node& node : g.nodes) {
    if (node.dead) continue;
    if (node.op->name == "If")
      for (const Graph& region : node.regions)
        for (std::string& reason : fusion_reasons(region, usual)) reasons.push_back(std::move(reason));
    const Node& first = first_of(node);
    const bool can_follow = is_pointwise(first);
    std::set<ValueId> told;
    for (ValueId v : node.inputs) {
      const auto maker = can_follow && told.insert(v).second ? makers.find(v) : makers.end();
      if (maker == makers.end()) continue;
      const auto here = static_cast<uint32_t>(std::count(node.inputs.begin(), node.inputs.end(), v));
      reasons.push_back(describe(node) + ": " + why_apart(g, *maker->second, node, uses[v] > here));
    }
    if (has_epilogue(first_graph(g, node), first)) makers[node.outputs[0]] = &node;
  }
  return reasons;
}

extern const Pass pass_fuse;
const Pass pass_fuse = {
    "fuse", "joins pointwise nodes, and those that follow a contraction or a normalization, into one node",
    run};

}  // namespace burnish
