#include "passes/merge_pointwise.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "ir/anchor.h"
#include "passes/fused_node.h"
#include "passes/pass.h"

namespace burnish {

namespace {

/// Time is counted in bytes moved: a launch takes as long as this many (2 us at 2 TB/s).
constexpr int64_t launch = int64_t{4} << 20;
/// What is waited for long: work of the host, or of many steps one after the other.
constexpr int64_t long_work = 1000 * launch;
/// Kernels that have nothing to do with each other are worth merging up to this many elements: most of their time is the launch.
constexpr int64_t most_unrelated = int64_t{1} << 20;

/// With how many units before it, of its extents, one is compared.
constexpr size_t most_compared = 16;

/// What is or becomes one node.
struct Unit {
  std::vector<uint32_t> parts;        // nodes of the graph, ascending
  std::vector<ValueId> reads, makes;  // each once; of what is made what leaves the unit
  size_t nodes = 0;                   // inside
  bool pointwise = false;
  bool floats = true;  // all that it makes; what integers steer may be the host's
};

/// A graph as units in an order in which they can run, and which of them may be one.
class Units {
 public:
  Units(const Graph& g, const UsualExtent& usual)
      : g_(g), usual_(usual), readers_(g.values.size()), unit_of_(g.nodes.size(), no_node) {
    for (uint32_t n = 0; n < g.nodes.size(); ++n)
      if (!g.nodes[n].dead) add(n);
    for (ValueId v : g.outputs) readers_[v].push_back(no_node);
    find_ready();
  }

  const std::vector<uint32_t>& order() const { return order_; }
  const Unit& operator[](uint32_t u) const { return units_[u]; }
  /// What messages call the unit.
  std::string name(uint32_t u) const { return describe(g_.nodes[units_[u].parts[0]]); }
  const std::vector<Dim>& shape(uint32_t u) const { return g_.values[units_[u].makes[0]].type.shape; }
  bool is_before(uint32_t a, uint32_t b) const { return position_[a] < position_[b]; }

  /// Whether both read a tensor of their extents, or one reads what the other makes.
  bool related(uint32_t a, uint32_t b) const {
    const Unit &x = units_[a], &y = units_[b];
    return std::ranges::any_of(y.reads, [&](ValueId v) {
      return contains(x.makes, v) || (contains(x.reads, v) && g_.values[v].type.shape == shape(a));
    });
  }

  /// Whether b may be one kernel with a, which comes before it; both are pointwise.
  Verdict may_merge(uint32_t a, uint32_t b) const {
    const std::string name = this->name(a);
    if (shape(a) != shape(b))
      return Verdict::no("its result has another shape than what it reads of " + name);
    if (!units_[a].floats || !units_[b].floats)
      return Verdict::no("it or " + name + " gives integers or truth values, which the host may read");
    for (const uint32_t between : dependents(a, b))
      if (feeds(between, b)) return Verdict::no(this->name(between) + " has to run between it and " + name);
    const Unit merged = merger(a, b);
    const auto limit = [&](const char* does, size_t most, const char* what) {
      return Verdict::no("with " + name + " it would " + does + " more than " + std::to_string(most) + what);
    };
    if (merged.nodes > most_fused_nodes) return limit("be", most_fused_nodes, " nodes");
    if (merged.reads.size() > most_fused_operands) return limit("read", most_fused_operands, " tensors");
    if (merged.makes.size() > most_fused_results) return limit("write", most_fused_results, " tensors");
    if (!related(a, b) && elements(shape(a)) > most_unrelated)
      return Verdict::no("it shares no tensor with " + name + ", and both are large");
    const int64_t start = start_of(merged);
    if (must_wait(units_[a], merged, start)) return Verdict::no(name + " would wait for what it reads");
    if (must_wait(units_[b], merged, start)) return Verdict::no("it would wait for what " + name + " reads");
    return Verdict::yes();
  }

  /// Makes one unit of a and b, numbered b. What depends on a follows it.
  void merge(uint32_t a, uint32_t b) {
    const std::vector<uint32_t> later = dependents(a, b);
    std::vector<uint32_t> order;
    for (size_t k = position_[a] + 1; k < position_[b]; ++k)
      if (!contains(later, order_[k])) order.push_back(order_[k]);
    order.push_back(b);
    order.insert(order.end(), later.begin(), later.end());
    order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(position_[a]));
    std::ranges::copy(order, order_.begin() + static_cast<std::ptrdiff_t>(position_[a]));
    for (size_t k = position_[a]; k < order_.size(); ++k) position_[order_[k]] = k;
    units_[b] = merger(a, b);
    for (const uint32_t n : units_[a].parts) unit_of_[n] = b;
  }

 private:
  template <class T>
  static bool contains(const std::vector<T>& list, T x) {
    return std::ranges::find(list, x) != list.end();
  }

  void add(uint32_t n) {
    const Node& node = g_.nodes[n];
    const Graph* body = node.op->name == "Fused" ? &node.regions[0] : nullptr;
    Unit unit{.parts = {n}, .nodes = body ? body->nodes.size() : 1};
    unit.pointwise = is_pointwise(anchor_of(node));
    for (ValueId v : node.inputs) {
      if (v == no_value || contains(unit.reads, v) || (unit.pointwise && is_number(g_, v))) continue;
      unit.reads.push_back(v);
      readers_[v].push_back(n);
    }
    for (ValueId v : node.outputs) {
      if (v == no_value) continue;
      unit.makes.push_back(v);
      unit.floats = unit.floats && is_float(g_.values[v].type.dtype);
    }
    unit_of_[n] = static_cast<uint32_t>(units_.size());
    position_.push_back(order_.size());
    order_.push_back(unit_of_[n]);
    units_.push_back(std::move(unit));
  }

  int64_t elements(const std::vector<Dim>& shape) const {
    const DimTable& dims = *g_.dims;
    int64_t count = 1;
    for (Dim d : shape) count *= dims.evaluate(d, [&](Dim symbol) { return usual_(dims, symbol); });
    return count;
  }

  int64_t cost(const Node& node) const {
    const bool known =
        std::ranges::all_of(node.outputs, [&](ValueId v) { return v == no_value || g_.content(v); });
    if (known || node.op->view) return 0;
    const bool by_steps = node.op->name == "LSTM" || node.op->name == "GRU" || node.op->name == "RNN";
    const bool on_device = node.op->kernel || node.op->scalar || node.op->name == "Fused";
    if (by_steps || !on_device) return long_work;
    int64_t bytes = launch;
    for (const auto* values : {&node.inputs, &node.outputs})
      for (ValueId v : *values)
        if (v != no_value)
          bytes += elements(g_.values[v].type.shape) * static_cast<int64_t>(size_of(g_.values[v].type.dtype));
    return bytes;
  }

  // As if everything ran as early as it can, side by side.
  void find_ready() {
    ready_.assign(g_.values.size(), 0);
    for (const Unit& unit : units_) {
      const Node& node = g_.nodes[unit.parts[0]];
      const int64_t done = start_of(unit) + cost(node);
      for (ValueId v : unit.makes) ready_[v] = done;
    }
  }

  int64_t start_of(const Unit& unit) const {
    int64_t start = 0;
    for (ValueId v : unit.reads) start = std::max(start, ready_[v]);
    return start;
  }

  // Whether what others read of `part` would come more than a launch later than it could.
  bool must_wait(const Unit& part, const Unit& merged, int64_t start) const {
    for (const uint32_t n : part.parts) {
      const Node& node = g_.nodes[n];
      const bool leaves =
          std::ranges::any_of(node.outputs, [&](ValueId v) { return contains(merged.makes, v); });
      int64_t alone = 0;
      for (ValueId v : node.inputs)
        if (v != no_value) alone = std::max(alone, ready_[v]);
      if (leaves && start > alone + launch) return true;
    }
    return false;
  }

  bool is_inside(ValueId v, uint32_t a, uint32_t b) const {
    return !readers_[v].empty() && std::ranges::all_of(readers_[v], [&](uint32_t n) {
      return n != no_node && (unit_of_[n] == a || unit_of_[n] == b);
    });
  }

  Unit merger(uint32_t a, uint32_t b) const {
    const Unit &x = units_[a], &y = units_[b];
    Unit merged{.reads = x.reads, .nodes = x.nodes + y.nodes, .pointwise = true};
    std::ranges::merge(x.parts, y.parts, std::back_inserter(merged.parts));
    for (ValueId v : y.reads)
      if (!contains(x.makes, v) && !contains(merged.reads, v)) merged.reads.push_back(v);
    for (const Unit* unit : {&x, &y})
      for (ValueId v : unit->makes)
        if (!is_inside(v, a, b)) merged.makes.push_back(v);
    return merged;
  }

  // The units between a and b that depend on a, in order.
  std::vector<uint32_t> dependents(uint32_t a, uint32_t b) const {
    std::vector<uint32_t> found;
    std::set<ValueId> made(units_[a].makes.begin(), units_[a].makes.end());
    for (size_t k = position_[a] + 1; k < position_[b]; ++k) {
      const Unit& unit = units_[order_[k]];
      if (std::ranges::none_of(unit.reads, [&](ValueId v) { return made.contains(v); })) continue;
      found.push_back(order_[k]);
      made.insert(unit.makes.begin(), unit.makes.end());
    }
    return found;
  }

  bool feeds(uint32_t from, uint32_t to) const {
    return std::ranges::any_of(units_[to].reads, [&](ValueId v) { return contains(units_[from].makes, v); });
  }

  const Graph& g_;
  const UsualExtent& usual_;
  std::vector<std::vector<uint32_t>> readers_;  // by value: nodes, no_node for the graph's results
  std::vector<Unit> units_;
  std::vector<uint32_t> unit_of_;  // by node
  std::vector<uint32_t> order_;
  std::vector<size_t> position_;  // by unit
  std::vector<int64_t> ready_;    // by value
};

/// Merges what may be; whether anything was.
bool sweep(Units& units) {
  bool merged = false;
  std::map<std::vector<Dim>, std::deque<uint32_t>> before;  // by extents, the newest first
  for (uint32_t u : std::vector(units.order())) {
    if (!units[u].pointwise) continue;
    std::deque<uint32_t>& others = before[units.shape(u)];
    for (const bool related : {true, false})
      for (size_t k = 0; k < others.size(); ++k) {
        const auto [a, b] =
            std::minmax({others[k], u}, [&](uint32_t x, uint32_t y) { return units.is_before(x, y); });
        if (units.related(a, b) != related || !units.may_merge(a, b)) continue;
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(k--));
        units.merge(a, b);
        u = b;
        merged = true;
      }
    others.push_front(u);
    if (others.size() > most_compared) others.pop_back();
  }
  return merged;
}

bool merge_all(Graph& g, const UsualExtent& usual) {
  std::vector<Node> nodes;
  Units units(g, usual);
  bool changed = false;
  while (sweep(units)) changed = true;
  if (!changed) return false;
  for (const uint32_t u : units.order()) {
    std::vector<Node*> parts;
    for (const uint32_t n : units[u].parts) parts.push_back(&g.nodes[n]);
    nodes.push_back(parts.size() == 1 ? std::move(*parts[0]) : fused_node(g, parts, units[u].makes));
  }
  g.nodes = std::move(nodes);
  g.index();
  return true;
}

Result<bool> run(Graph& graph, const PassContext& context) {
  return for_each_lowered_graph(graph, [&](Graph& g) -> Result<bool> { return merge_all(g, context.usual); });
}

}  // namespace

std::vector<std::string> merge_reasons(const Graph& graph, const UsualExtent& usual) {
  std::vector<std::string> reasons;
  const Units units(graph, usual);
  std::deque<uint32_t> before;
  for (const uint32_t b : units.order()) {
    if (!units[b].pointwise) continue;
    for (const uint32_t a : before)
      if (units.related(a, b))
        if (const Verdict v = units.may_merge(a, b); !v) reasons.push_back(units.name(b) + ": " + v.reason());
    before.push_front(b);
    if (before.size() > most_compared) before.pop_back();
  }
  return reasons;
}

extern const Pass pass_merge_pointwise;
const Pass pass_merge_pointwise = {
    "merge_pointwise", "joins pointwise work of the same extents into one node with several results", run};

}  // namespace burnish
