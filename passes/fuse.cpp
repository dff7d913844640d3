#include <algorithm>
#include <map>
#include <set>

#include "ir/infer.h"
#include "passes/fuse.h"
#include "passes/pass.h"
#include "passes/provenance.h"

namespace burnish {

namespace {

constexpr size_t most_nodes = 48, most_operands = 12;

/// Whether the kernel of `node` ends in an epilogue, with room for the pointwise nodes that follow.
bool has_epilogue(const Graph& g, const Node& node) {
  const bool normalizes = node.op->name == "InstanceNormalization" || node.op->name == "GroupNormalization";
  return is_contraction(node) || (normalizes && g.values[node.outputs[0]].type.dtype != DType::f64);
}

bool is_pointwise(const Node& node) {
  return node.op->scalar && node.outputs.size() == 1 && node.outputs[0] != no_value;
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
  struct Group {
    std::vector<size_t> nodes;  // ascending
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
    for (size_t n = first + 1; n < g_.nodes.size() && group.size() < most_nodes; ++n) {
      const Node& node = g_.nodes[n];
      if (taken_[n] || node.dead || !is_pointwise(node) || g_.values[node.outputs[0]].type.shape != shape)
        continue;
      if (std::none_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) { return made.contains(v); }))
        continue;
      group.push_back(n);
      if (operand_count(group) > most_operands) {
        group.pop_back();
        continue;
      }
      made.insert(node.outputs[0]);
      if (single_result(group) == node.outputs[0]) best = group;
      if (uses_[node.outputs[0]] == 0) break;
    }
    if (best.size() < 2) return false;
    for (size_t n : best) taken_[n] = true;
    groups_[best.back()] = {best};
    return true;
  }

  Node fused(const Group& group) {
    Graph body;
    body.dims = g_.dims;
    body.name = "body";
    std::map<ValueId, ValueId> inside;
    Node out{.op = find_op("Fused")};
    for (size_t n : group.nodes) {
      Node node = std::move(g_.nodes[n]);
      for (ValueId& v : node.inputs) {
        if (v == no_value) continue;
        auto [it, fresh] = inside.try_emplace(v, 0);
        if (fresh) {
          const Value& value = g_.values[v];
          if (value.constant && value.constant->count() == 1 && is_pointwise(node)) {
            it->second = body.add_constant(*value.constant);
          } else {
            it->second = body.add_value(value.type);
            body.inputs.push_back(it->second);
            out.inputs.push_back(v);
          }
        }
        v = it->second;
      }
      for (ValueId& v : node.outputs) {
        const ValueId mine = body.add_value(g_.values[v].type);
        inside[v] = mine;
        if (n == group.nodes.back()) {
          out.outputs = {v};
          body.outputs = {mine};
        }
        v = mine;
      }
      add_provenance(out.provenance, node);
      body.nodes.push_back(std::move(node));
    }
    body.index();
    out.regions.push_back(std::move(body));
    return out;
  }

  void replace() {
    std::vector<Node> nodes;
    for (size_t i = 0; i < g_.nodes.size(); ++i) {
      if (auto it = groups_.find(i); it != groups_.end()) nodes.push_back(fused(it->second));
      else if (!taken_[i]) nodes.push_back(std::move(g_.nodes[i]));
    }
    g_.nodes = std::move(nodes);
    g_.index();
  }

  Graph& g_;
  std::vector<uint32_t> uses_;
  std::vector<bool> taken_;
  std::map<size_t, Group> groups_;  // by last node, whose place the group takes
};

const Node& first_of(const Node& node) { return node.op->name == "Fused" ? node.regions[0].nodes[0] : node; }
const Graph& first_graph(const Graph& g, const Node& node) {
  return node.op->name == "Fused" ? node.regions[0] : g;
}
size_t size_of_group(const Node& node) { return node.op->name == "Fused" ? node.regions[0].nodes.size() : 1; }

/// Why `node` does not follow in the kernel of `before`, which writes what it reads.
std::string why_apart(const Graph& g, const Node& before, const Node& node, bool read_by_others) {
  const std::string name = describe(before);
  if (g.values[before.outputs[0]].type.shape != g.values[node.outputs[0]].type.shape)
    return "its result has another shape than what it reads of " + name;
  if (read_by_others) return "what it reads of " + name + " is read by others too";
  if (size_of_group(before) + size_of_group(node) > most_nodes)
    return "with " + name + " it would be more than " + std::to_string(most_nodes) + " nodes";
  if (before.inputs.size() + node.inputs.size() - 1 > most_operands)
    return "with " + name + " it would read more than " + std::to_string(most_operands) + " tensors";
  return "it reads what is made after " + name + " has begun";
}

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_lowered_graph(graph, [](Graph& g) -> Result<bool> { return Fuser(g).run(); });
}

}  // namespace

std::vector<std::string> fusion_reasons(const Graph& g) {
  std::vector<std::string> reasons;
  std::map<ValueId, const Node*> makers;
  const std::vector<uint32_t> uses = g.use_counts();
  for (const Node& node : g.nodes) {
    if (node.dead) continue;
    if (node.op->name == "If")
      for (const Graph& region : node.regions)
        for (std::string& reason : fusion_reasons(region)) reasons.push_back(std::move(reason));
    const Node& first = first_of(node);
    const bool can_follow = is_pointwise(first);
    std::set<ValueId> told;
    for (ValueId v : node.inputs) {
      const auto maker = can_follow && told.insert(v).second ? makers.find(v) : makers.end();
      if (maker == makers.end()) continue;
      const auto here = static_cast<uint32_t>(std::count(node.inputs.begin(), node.inputs.end(), v));
      reasons.push_back(describe(node) + ": " + why_apart(g, *maker->second, node, uses[v] > here));
    }
    if (can_follow || has_epilogue(first_graph(g, node), first)) makers[node.outputs[0]] = &node;
  }
  return reasons;
}

extern const Pass pass_fuse;
const Pass pass_fuse = {
    "fuse", "joins pointwise nodes, and those that follow a contraction or a normalization, into one node",
    run};

}  // namespace burnish
