#include "passes/fusion_reasons.h"

#include <algorithm>
#include <map>
#include <set>

#include "ir/anchor.h"
#include "ir/halves.h"
#include "passes/fusable.h"
#include "passes/fused_node.h"
#include "passes/merge_pointwise.h"
#include "passes/normalize_in_products.h"

namespace burnish {

namespace {

const Graph& inner_graph(const Graph& g, const Node& node) {
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

/// What the first operand of the anchor of `node` is, or is computed of.
std::set<ValueId> sources_of(const Graph& g, const Node& node) {
  const Graph& inner = inner_graph(g, node);
  if (&inner == &g) return {node.inputs[0]};
  const std::span<const Node> before = std::span(inner.nodes).first(anchor_index(inner));
  std::set<ValueId> sources;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const auto reads = [&](const Node& n) { return std::ranges::count(n.inputs, inner.inputs[i]) > 0; };
    if (anchor_of(node).inputs[0] == inner.inputs[i] || std::ranges::any_of(before, reads))
      sources.insert(node.inputs[i]);
  }
  return sources;
}

/// Why `node`, a reduction, does not compute v, which `before` makes by pointwise work. Empty: v is smaller than what it reduces.
std::string why_not_computed(const Graph& g, const Node& before, const Node& node, ValueId v,
                             bool read_by_others, const UsualExtent& usual) {
  const Graph& inner = inner_graph(g, node);
  const Node& anchor = anchor_of(node);
  const std::vector<Dim>& shape = inner.values[anchor.inputs[0]].type.shape;
  if (g.values[v].type.shape != shape) return "";
  const std::string name = describe(before);
  if (read_by_others) return "what it reads of " + name + " is read by others too";
  std::set<ValueId> sources = sources_of(g, node);
  sources.erase(v);
  sources.insert(before.inputs.begin(), before.inputs.end());
  if (const Verdict verdict = pays_to_compute(inner, anchor, count_whole(g, sources, shape), usual); !verdict)
    return "it reads what " + name + " stores, for " + verdict.reason();
  return why_apart(g, before, node, false);
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

}  // namespace

std::vector<std::string> fusion_reasons(const Graph& g, const UsualExtent& usual) {
  std::vector<std::string> reasons = merge_reasons(g, usual);
  std::ranges::move(normalization_reasons(g), std::back_inserter(reasons));
  std::map<ValueId, const Node*> makers, pointwise;
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
    if (anchor.op->readings)
      for (ValueId v : sources_of(g, node))
        if (const auto maker = pointwise.find(v); maker != pointwise.end()) {
          const auto here = static_cast<uint32_t>(std::count(node.inputs.begin(), node.inputs.end(), v));
          const std::string why = why_not_computed(g, *maker->second, node, v, uses[v] > here, usual);
          if (!why.empty()) reasons.push_back(describe(node) + ": " + why);
        }
    if (can_follow)
      for (ValueId v : node.outputs) pointwise[v] = &node;
    if (has_epilogue(inner_graph(g, node), anchor)) makers[node.outputs[0]] = &node;
  }
  return reasons;
}

}  // namespace burnish
