#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/half.h"
#include "base/unwritten_tensor.h"
#include "ir/infer.h"
#include "passes/pass.h"

namespace burnish {

namespace {

// FP32 -> FP16 with finite values kept finite: a mask of -3.4e38 must stay a number, or softmax of a masked row is NaN.
Tensor to_half_tensor(const Tensor& t, ThreadPool& pool) {
  constexpr float largest = 65504.0f;
  constexpr int64_t grain = 1 << 14;
  Tensor out = unwritten_tensor(DType::f16, t.shape());
  auto* to = reinterpret_cast<half*>(out.writable());
  pool.parallel_for(t.count(), grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float x = t.data<float>()[i];
      to[i] = to_half(std::isfinite(x) ? std::clamp(x, -largest, largest) : x);
    }
  });
  return out;
}

/// Rewrites one graph so that values of type f32 are stored as f16, casts standing where the two meet.
class Halver {
 public:
  Halver(Graph& g, const PassContext& context) : g_(g), asked_(context.nodes), pool_(context.pool) {}

  Result<bool> run() {
    find_read_full();
    for (Node& node : g_.nodes) {
      if (node.dead) continue;
      TRY(node.regions.empty() ? convert(std::move(node)) : keep(std::move(node)));
    }
    for (ValueId v : g_.outputs) full(v);
    g_.nodes = std::move(out_);
    g_.index();
    return true;
  }

 private:
  bool is_full(ValueId v) const { return v != no_value && g_.values[v].type.dtype == DType::f32; }

  // Values that are read in FP32 alone: what is squared, what leaves the graph, and what leads there without a contraction
  // in between. Rounding them would only lose digits.
  void find_read_full() {
    std::set<ValueId> read_half;
    read_full_.insert(g_.outputs.begin(), g_.outputs.end());
    for (size_t n = g_.nodes.size(); n-- > 0;) {
      const Node& node = g_.nodes[n];
      if (node.dead) continue;
      for (ValueId v : node.outputs)
        if (read_half.contains(v)) read_full_.erase(v);
      const bool all = !node.regions.empty() || node.op->keeps_f32 || is_square(node) || is_asked(node) ||
                       leads_to_full(node);
      for (size_t i = 0; i < node.inputs.size(); ++i)
        (all || (node.op->exact_operands >> i & 1) ? read_full_ : read_half).insert(node.inputs[i]);
    }
  }

  // The caller wants FP32 of one of the nodes that it came from.
  bool is_asked(const Node& node) const {
    return std::ranges::any_of(node.provenance, [&](const std::string& name) {
      bool fp32 = false;
      for (const NodePrecision& p : asked_)
        if (p.fits(name)) fp32 = p.fp32;
      return fp32;
    });
  }

  // All that it makes is read in FP32, and it is no contraction, which would gain from FP16 operands all the same.
  bool leads_to_full(const Node& node) const {
    return !is_contraction(node) && std::all_of(node.outputs.begin(), node.outputs.end(), [&](ValueId v) {
      return v == no_value || read_full_.contains(v);
    });
  }

  // A pointwise op, view or reduction all of whose computed operands are FP32 on purpose goes on in FP32.
  bool follows_full(const Node& node) const {
    if (!node.op->scalar && !node.op->view && !node.op->name.starts_with("Reduce")) return false;
    bool any = false;
    for (ValueId v : node.inputs) {
      if (!is_full(v) || g_.constant(v)) continue;
      if (!kept_.contains(v)) return false;
      any = true;
    }
    return any;
  }

  // A square, spelled as a product: like Pow, it leaves the range of FP16 at 256.
  static bool is_square(const Node& node) {
    return node.op->name == "Mul" && node.inputs[0] == node.inputs[1];
  }

  // Numbers that are counted or measured rather than learned: integers turned to floats, ranges, random access positions.
  bool keeps_full(const Node& node) const {
    if (node.op->keeps_f32 || is_square(node) || follows_full(node) || leads_to_full(node)) return true;
    bool float_operand = false;
    for (ValueId v : node.inputs) float_operand = float_operand || is_full(v);
    return !float_operand;
  }

  Result<> keep(Node node) {
    for (ValueId& v : node.inputs) v = full(v);
    for (ValueId v : node.outputs)
      if (is_full(v)) kept_.insert(v);
    out_.push_back(std::move(node));
    return {};
  }

  // A value that is FP16 already and only widened: its FP16 form is known, and FP32 is not on purpose.
  bool widens_half(const Node& node) const {
    return node.op->name == "Cast" && is_full(node.outputs[0]) &&
           g_.values[node.inputs[0]].type.dtype == DType::f16;
  }
  // The opposite: read in its FP16 form where it has one, so that nothing is widened in between.
  bool narrows_to_half(const Node& node) const {
    return node.op->name == "Cast" && node.outputs[0] != no_value &&
           g_.values[node.outputs[0]].type.dtype == DType::f16 && half_of_.contains(node.inputs[0]);
  }

  Result<> convert(Node node) {
    if (widens_half(node)) half_of_[node.outputs[0]] = node.inputs[0];
    else if (narrows_to_half(node)) node.inputs[0] = half_of_.at(node.inputs[0]);
    else return convert_unless_kept(std::move(node));
    out_.push_back(std::move(node));
    return {};
  }

  Result<> convert_unless_kept(Node node) {
    if (node.op->name == "Cast" && node.inputs.size() == 1 && is_full(node.inputs[0]) &&
        is_full(node.outputs[0]))
      return keep(std::move(node));
    if (is_asked(node) || keeps_full(node)) return keep(std::move(node));
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (is_full(node.inputs[i]))
        node.inputs[i] = node.op->exact_operands >> i & 1 ? full(node.inputs[i]) : half_value(node.inputs[i]);
    std::vector<ValueId> made;
    for (ValueId& v : node.outputs) {
      if (!is_full(v)) continue;
      if (node.op->exact_operands & 1) {
        kept_.insert(v);
        continue;
      }
      if (read_full_.contains(v)) kept_.insert(made.emplace_back(v));
      TensorType type = g_.values[v].type;
      type.dtype = DType::f16;
      const ValueId h = g_.add_value(type, g_.values[v].name);
      half_of_[v] = h;
      only_half_.insert(v);
      v = h;
    }
    TRY(infer(g_, node));
    out_.push_back(std::move(node));
    for (ValueId v : made) full(v);
    return {};
  }

  // The FP32 form of v: itself where it is stored so.
  ValueId full(ValueId v) {
    if (only_half_.erase(v)) add_cast(half_of_.at(v), v, DType::f32);
    return v;
  }

  ValueId half_value(ValueId v) {
    if (auto it = half_of_.find(v); it != half_of_.end()) return it->second;
    if (const Tensor* t = g_.constant(v))
      return half_of_[v] = g_.add_constant(to_half_tensor(*t, pool_), g_.values[v].name);
    TensorType type = g_.values[v].type;
    type.dtype = DType::f16;
    const ValueId h = g_.add_value(type, g_.values[v].name);
    add_cast(v, h, DType::f16);
    return half_of_[v] = h;
  }

  void add_cast(ValueId from, ValueId to, DType dtype) {
    const OpDef* op = find_op("Cast");
    Attrs attrs(op->attrs);
    for (const Field& field : op->attrs->fields())
      if (field.name == "to") *static_cast<DType*>(attrs.field_for_writing(field)) = dtype;
    out_.push_back(
        {.op = op, .attrs = std::move(attrs), .inputs = {from}, .outputs = {to}, .provenance = {}});
  }

  Graph& g_;
  const std::span<const NodePrecision> asked_;
  ThreadPool& pool_;
  std::vector<Node> out_;
  std::map<ValueId, ValueId> half_of_;  // FP32 value -> its FP16 form
  std::set<ValueId> only_half_;         // FP32 values that so far exist only in their FP16 form
  std::set<ValueId> kept_;              // FP32 on purpose
  std::set<ValueId> read_full_;         // of which every reader wants FP32
};

Result<bool> run(Graph& graph, const PassContext& context) {
  if (!context.fp16) return false;
  // Bodies keep FP32 at their borders: an If's captures and results are converted around it.
  return for_each_lowered_graph(graph, [&](Graph& g) { return Halver(g, context).run(); });
}

}  // namespace

bool NodePrecision::fits(std::string_view name) const {
  const size_t star = pattern.find('*');
  if (star == std::string::npos) return name == pattern;
  const std::string_view before = std::string_view(pattern).substr(0, star),
                         after = std::string_view(pattern).substr(star + 1);
  return name.size() >= before.size() + after.size() && name.starts_with(before) && name.ends_with(after);
}

extern const Pass pass_half_precision;
const Pass pass_half_precision = {"half_precision", "stores FP32 values as FP16 where their range allows it",
                                  run};

}  // namespace burnish
