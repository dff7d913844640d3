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

bool gives_one(const Node& node) {
  return node.outputs[0] != no_value &&
         std::all_of(node.outputs.begin() + 1, node.outputs.end(), [](ValueId v) { return v == no_value; });
}

/// Prologues and epilogues do, on tensors that have axes.
bool computes_in_float(const TensorType& type) {
  return is_float(type.dtype) && type.dtype != DType::f64 && !type.shape.empty();
}

/// Whether the kernel of `node` ends in an epilogue, with room for the pointwise nodes that follow.
bool has_epilogue(const Graph& g, const Node& node) {
  if (!node.op->epilogue || is_contraction(node)) return node.op->epilogue;
  if (node.op->name == "Gather" && !picks_rows(g, node)) return false;
  return gives_one(node) && computes_in_float(g.values[node.outputs[0]].type);
}

/// How often the kernel of `node` would compute the elements of its first operand; 0: it can only read them.
int readings_of(const Graph& g, const Node& node) {
  const bool can = node.op->readings && gives_one(node) && computes_in_float(g.values[node.inputs[0]].type);
  return can ? node.op->readings(g, node) : 0;
}

/// How many of the values have the extents of what `reduction` reads.
size_t count_whole(const Graph& g, const std::set<ValueId>& values, std::span<const Dim> shape) {
  return static_cast<size_t>(std::ranges::count_if(
      values, [&](ValueId v) { return v != no_value && std::ranges::equal(g.values[v].type.shape, shape); }));
}

/// Whether it pays that `reduction` computes what it reads of `whole` tensors as large, rather than that a kernel of its own stores it.
Verdict pays_to_compute(const Graph& g, const Node& reduction, size_t whole, const UsualExtent& usual) {
  constexpr int64_t long_row = int64_t{1} << 14;
  const auto readings = static_cast<size_t>(readings_of(g, reduction));
  const std::string tensors = std::to_string(whole) + " tensors";
  if (readings == 0) return Verdict::no("its kernel only reads");
  if (readings * whole > whole + 1 + readings)  // read them, store one, read that
    return Verdict::no("its rows may not stay in registers, and to read " + tensors + " " +
                       std::to_string(readings) + " times takes longer");
  const auto count = [&](ValueId v) {
    const DimTable& dims = *g.dims;
    return dims.evaluate(g.dims->product(g.values[v].type.shape), [&](Dim s) { return usual(dims, s); });
  };
  if (whole > 1 && count(reduction.inputs[0]) > long_row * count(reduction.outputs[0]))
    return Verdict::no("few threads share its long rows, and would read " + tensors + " instead of one");
  return Verdict::yes();
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

Result<bool> run(Graph& graph, const PassContext& context) {
  return for_each_lowered_graph(graph,
                                [&](Graph& g) -> Result<bool> { return Fuser(g, context.usual).run(); });
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

extern const Pass pass_fuse;
const Pass pass_fuse = {
    "fuse", "joins pointwise nodes, and those that follow a contraction or a normalization, into one node",
    run};

}  // namespace burnish
