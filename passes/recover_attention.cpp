#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "ir/element.h"
#include "ir/infer.h"
#include "ops/attention/attention.h"
#include "passes/pass.h"
#include "passes/provenance.h"
#include "passes/reshape_node.h"

namespace burnish {

namespace {

using Extents = std::vector<Dim>;

/// Something added to the scores, and the shape of the scores where that happens.
struct Mask {
  ValueId value;
  Extents scores;
};

/// Softmax(q k^T * scale + masks) v, as its nodes spell it.
struct Found {
  ValueId q = no_value, k_transposed = no_value, v = no_value;
  Extents product;  // the shape of q k^T, and of what multiplies v: reshapes may stand in between
  Extents weights;
  std::vector<Mask> masks;
  double scale = 1;
  std::vector<size_t> nodes;
};

Extents batch_of(const Extents& shape) { return {shape.begin(), shape.end() - 2}; }

/// Matches from the last product backwards. What lies between the two products must be read by the next node alone.
class Matcher {
 public:
  Matcher(const Graph& g, std::span<const NodePattern> decomposed)
      : g_(g), uses_(g.use_counts()), decomposed_(decomposed) {}

  std::optional<Found> match(size_t at) const {
    const Node& last = g_.nodes[at];
    if (last.dead || last.op->name != "MatMul") return std::nullopt;
    const TensorType& weights = g_.values[last.inputs[0]].type;
    if (weights.dtype != DType::f16 && weights.dtype != DType::bf16) return std::nullopt;
    Found found{.v = last.inputs[1], .weights = weights.shape, .nodes = {at}};
    if (weights.shape.size() < 2 || !softmax(last.inputs[0], found)) return std::nullopt;
    found.q = unscaled(found.q, found.scale);
    found.k_transposed = unscaled(found.k_transposed, found.scale);
    const bool sound = found.scale > 0 && std::isfinite(static_cast<float>(found.scale)) &&
                       fits_kernel(found) && !stays(found);
    return sound ? std::optional(found) : std::nullopt;
  }

 private:
  const Extents& shape(ValueId v) const { return g_.values[v].type.shape; }

  const Node* only_read_once(ValueId v, Found& found) const {
    const uint32_t producer = g_.values[v].producer;
    if (producer == no_node || uses_[v] != 1 || g_.nodes[producer].dead) return nullptr;
    found.nodes.push_back(producer);
    return &g_.nodes[producer];
  }

  // A Reshape that leaves the last two axes alone, or a rounding that one kernel has no need of.
  bool keeps_matrices(const Node& node) const {
    if (node.inputs.empty()) return false;
    const Extents &in = shape(node.inputs[0]), &out = shape(node.outputs[0]);
    if (node.op->name == "Cast") return is_float(g_.values[node.inputs[0]].type.dtype);
    return node.op->name == "Reshape" && in.size() >= 2 && out.size() >= 2 &&
           std::equal(in.end() - 2, in.end(), out.end() - 2);
  }

  bool softmax(ValueId v, Found& found) const {
    const Node* node = only_read_once(v, found);
    if (!node) return false;
    if (keeps_matrices(*node)) return softmax(node->inputs[0], found);
    if (node->op->name != "Softmax" || *node->attrs.find<int64_t>("axis") + 1 != std::ssize(shape(v)))
      return false;
    return scores(node->inputs[0], false, found);
  }

  // `scaled`: a factor follows, so that nothing may be added before it.
  bool scores(ValueId v, bool scaled, Found& found) const {
    const Node* node = only_read_once(v, found);
    if (!node) return false;
    if (keeps_matrices(*node)) return scores(node->inputs[0], scaled, found);
    if (node->op->name == "MatMul") {
      found.q = node->inputs[0];
      found.k_transposed = node->inputs[1];
      found.product = shape(v);
      return true;
    }
    if (const auto factor = scaled_by(*node, v)) {
      found.scale *= factor->second;
      return scores(factor->first, true, found);
    }
    if (node->op->name != "Add" || scaled) return false;
    for (size_t k = 0; k < 2; ++k) {
      Found other = found;
      if (shape(node->inputs[k]) != shape(v) || !scores(node->inputs[k], false, other)) continue;
      found = std::move(other);
      found.masks.push_back({node->inputs[1 - k], shape(v)});
      return true;
    }
    return false;
  }

  /// The operand and the factor of a product or quotient with one constant number, of the operand's shape.
  std::optional<std::pair<ValueId, double>> scaled_by(const Node& node, ValueId v) const {
    const bool product = node.op->name == "Mul";
    if (!product && node.op->name != "Div") return std::nullopt;
    for (size_t k = product ? 0 : 1; k < 2; ++k) {
      const Tensor* t = g_.constant(node.inputs[k]);
      if (!t || t->count() != 1 || shape(node.inputs[1 - k]) != shape(v)) continue;
      const double number = visit_storage(t->dtype(), [&]<class T>(T*) -> double {
        if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(*t->data<T>());
        else return static_cast<double>(to_float(*t->data<T>()));
      });
      return std::pair(node.inputs[1 - k], product ? number : 1 / number);
    }
    return std::nullopt;
  }

  ValueId unscaled(ValueId v, double& scale) const {
    while (const Node* node = g_.producer(v)) {
      const auto factor = scaled_by(*node, v);
      if (!factor) break;
      scale *= factor->second;
      v = factor->first;
    }
    return v;
  }

  // The caller wants one of its nodes as they are spelled.
  bool stays(const Found& f) const {
    return std::ranges::any_of(f.nodes, [&](size_t n) {
      return std::ranges::any_of(decomposed_, [&](const NodePattern& p) { return p.fits(g_.nodes[n]); });
    });
  }

  bool fits_kernel(const Found& f) const {
    const DType dtype = g_.values[f.v].type.dtype;
    auto fits = [&](ValueId v) { return g_.values[v].type.dtype == dtype && shape(v).size() >= 2; };
    if (!fits(f.q) || !fits(f.k_transposed) || !fits(f.v)) return false;
    for (const Mask& mask : f.masks)
      if (g_.values[mask.value].type.dtype != dtype) return false;
    for (Dim d : {shape(f.q).back(), shape(f.v).back()})
      if (const auto head_dim = g_.dims->value(d); !head_dim || *head_dim > most_attention_head_dim)
        return false;
    return true;
  }

  const Graph& g_;
  std::vector<uint32_t> uses_;
  std::span<const NodePattern> decomposed_;
};

/// Writes the one node, and the views that bring its operands into shape.
class Writer {
 public:
  Writer(Graph& g, const Found& found, std::vector<Node>& out) : g_(g), f_(found), out_(out) {
    std::vector<size_t> order = found.nodes;
    std::sort(order.begin(), order.end());
    for (size_t n : order) add_provenance(names_, g.nodes[n]);
  }

  /// False: the masks do not go into one shape.
  Result<bool> write(ValueId result) {
    const auto space = common_space();
    if (!space) return false;
    const Extents batch = batch_of(*space);
    const bool from_product = batch != batch_of(f_.product), to_weights = batch != batch_of(f_.weights);
    if ((from_product && !(has_batch(f_.q, f_.product) && has_batch(f_.k_transposed, f_.product))) ||
        (to_weights && !has_batch(f_.v, f_.weights)))
      return false;
    const ValueId k = TRY(transposed(f_.k_transposed));
    std::vector<ValueId> inputs{from_product ? TRY(with_batch(f_.q, batch)) : f_.q,
                                from_product ? TRY(with_batch(k, batch)) : k,
                                to_weights ? TRY(with_batch(f_.v, batch)) : f_.v};
    if (!f_.masks.empty()) inputs.push_back(TRY(mask()));
    const AttentionAttrs attrs{static_cast<float>(f_.scale)};
    if (!to_weights) return TRY(add("Attention", attrs, std::move(inputs), result)) == result;
    const ValueId y = TRY(add("Attention", attrs, std::move(inputs)));
    return TRY(reshaped(y, g_.values[result].type.shape, result)) == result;
  }

 private:
  const Extents& shape(ValueId v) const { return g_.values[v].type.shape; }
  bool has_batch(ValueId v, const Extents& like) const { return batch_of(shape(v)) == batch_of(like); }

  // Whether a mask that is added to scores of one shape can be added to the same scores in another: what it spans is alike.
  bool fits(const Mask& mask, const Extents& space) const {
    if (mask.scores == space) return true;
    const Extents& own = shape(mask.value);
    if (own.size() > space.size()) return false;
    size_t spans = own.size();
    while (spans > 0 && g_.dims->is_constant(own[own.size() - spans], 1)) --spans;
    size_t alike = 0;
    while (alike < std::min(space.size(), mask.scores.size()) &&
           space[space.size() - 1 - alike] == mask.scores[mask.scores.size() - 1 - alike])
      ++alike;
    return spans <= alike;
  }

  std::optional<Extents> common_space() const {
    std::vector<Extents> candidates{f_.weights};
    for (const Mask& mask : f_.masks) candidates.push_back(mask.scores);
    for (const Extents& space : candidates)
      if (std::all_of(f_.masks.begin(), f_.masks.end(), [&](const Mask& m) { return fits(m, space); }))
        return space;
    return std::nullopt;
  }

  Result<ValueId> add(std::string_view op, Attrs attrs, std::vector<ValueId> inputs,
                      ValueId result = no_value) {
    if (result == no_value) result = g_.add_value({});
    Node node{.op = find_op(op), .attrs = std::move(attrs), .inputs = std::move(inputs), .outputs = {result}};
    node.provenance = names_;
    TRY(infer(g_, node));
    out_.push_back(std::move(node));
    return result;
  }

  Result<ValueId> transposed(ValueId x) {
    std::vector<int64_t> perm(shape(x).size());
    for (size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<int64_t>(i);
    const Node* producer = g_.producer(x);
    if (producer && producer->op->name == "Transpose") {
      perm = *producer->attrs.find<std::vector<int64_t>>("perm");
      x = producer->inputs[0];
    }
    std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    if (std::is_sorted(perm.begin(), perm.end())) return x;
    return add("Transpose", attrs_of("Transpose", {{"perm", perm}}), {x});
  }

  Result<ValueId> reshaped(ValueId x, Extents to, ValueId result = no_value) {
    return append_reshape(g_, out_, x, std::move(to), names_, result);
  }

  Result<ValueId> with_batch(ValueId x, Extents to) {
    to.insert(to.end(), shape(x).end() - 2, shape(x).end());
    return reshaped(x, to);
  }

  Result<ValueId> mask() {
    ValueId sum = f_.masks[0].value;
    for (size_t i = 1; i < f_.masks.size(); ++i) sum = TRY(add("Add", {}, {sum, f_.masks[i].value}));
    return sum;
  }

  Graph& g_;
  const Found& f_;
  std::vector<Node>& out_;
  std::vector<std::string> names_;
};

Result<bool> recover(Graph& g, std::span<const NodePattern> decomposed) {
  const Matcher matcher(g, decomposed);
  std::map<size_t, std::vector<Node>> replacements;  // by the last product
  for (size_t i = 0; i < g.nodes.size(); ++i) {
    const auto found = matcher.match(i);
    std::vector<Node> nodes;
    if (!found || !TRY(Writer(g, *found, nodes).write(g.nodes[i].outputs[0]))) continue;
    for (size_t n : found->nodes) g.nodes[n].dead = true;
    replacements[i] = std::move(nodes);
  }
  if (replacements.empty()) return false;
  std::vector<Node> all;
  for (size_t i = 0; i < g.nodes.size(); ++i)
    if (auto it = replacements.find(i); it != replacements.end())
      std::move(it->second.begin(), it->second.end(), std::back_inserter(all));
    else all.push_back(std::move(g.nodes[i]));
  g.nodes = std::move(all);
  g.index();
  return true;
}

Result<bool> run(Graph& graph, const PassContext& context) {
  return for_each_lowered_graph(graph, [&](Graph& g) { return recover(g, context.decomposed); });
}

}  // namespace

extern const Pass pass_recover_attention;
const Pass pass_recover_attention = {
    "recover_attention", "turns the products and the softmax that spell attention into one node", run};

}  // namespace burnish
