#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/deferred_tensor.h"
#include "base/half.h"
#include "ir/infer.h"
#include "passes/pass.h"

namespace burnish {

namespace {

// FP32 -> FP16 or BF16 with finite values kept finite: a mask of -3.4e38 must stay a number, or softmax of a masked row is NaN.
Tensor to_half_tensor(const Tensor& t, DType type) {
  constexpr int64_t grain = 1 << 14;
  return deferred_tensor(type, t.shape(), [t, type](std::byte* out, ThreadPool& pool) {
    const bool fp16 = type == DType::f16;
    const float largest = fp16 ? 65504.0f : 0x1.fep127f;
    const auto* from = reinterpret_cast<const float*>(t.bytes(pool));
    auto* to = reinterpret_cast<uint16_t*>(out);
    pool.parallel_for(t.count(), grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float x = from[i], y = std::isfinite(x) ? std::clamp(x, -largest, largest) : x;
        to[i] = fp16 ? to_half(y).bits : to_bfloat16(y).bits;
      }
    });
  });
}

/// Rewrites one graph so that values of type f32 are stored in half precision, casts standing where the two meet.
class Halver {
 public:
  Halver(Graph& g, DType half_type, const PassContext& context)
      : g_(g), half_(half_type), asked_(context.nodes) {}

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
      for (size_t i = 0; i < node.outputs.size(); ++i) {
        const ValueId v = node.outputs[i];
        const std::optional<DType> asked = asked_of(node, i + 1);
        if (asked == DType::f32) read_full_.insert(v);
        else if (asked || read_half.contains(v)) read_full_.erase(v);
      }
      const bool all = !node.regions.empty() || node.op->keeps_f32 || is_square(node) || is_asked(node) ||
                       leads_to_full(node);
      for (size_t i = 0; i < node.inputs.size(); ++i)
        (all || (node.op->exact_operands >> i & 1) ? read_full_ : read_half).insert(node.inputs[i]);
    }
  }

  // What the caller wants of a node (0), or of one of its results. FP32 counts where it is wanted of one of the nodes it came from.
  std::optional<DType> asked_of(const Node& node, size_t result) const {
    std::optional<DType> all;
    for (const std::string& name : node.provenance) {
      std::optional<DType> own;
      for (const NodePrecision& p : asked_)
        if (p.result == result && p.node.fits(name)) own = p.dtype;
      if (own && all != DType::f32) all = own;
    }
    return all;
  }
  bool is_asked(const Node& node) const { return asked_of(node, 0) == DType::f32; }

  // All that it makes is read in FP32, and it is no contraction, which would gain from half operands all the same.
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

  // A square, spelled as a product: like Pow, it leaves the range of FP16 at 256, and has the digits of BF16 twice.
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
    // What the node makes, and what others read of it: that in half precision.
    std::vector<std::pair<ValueId, ValueId>> rounded;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      ValueId& v = node.outputs[i];
      if (!is_full(v)) continue;
      if (asked_of(node, i + 1) != half_) {
        kept_.insert(v);
        continue;
      }
      const Value value = g_.values[v];
      v = rounded.emplace_back(g_.add_value(value.type, value.name), v).first;
    }
    out_.push_back(std::move(node));
    for (const auto& [wide, v] : rounded) {
      half_of_[v] = half_value(wide);
      only_half_.insert(v);
    }
    return {};
  }

  // A value that is in half precision already and only widened: that form is known, and FP32 is not on purpose.
  bool widens_half(const Node& node) const {
    return node.op->name == "Cast" && is_full(node.outputs[0]) &&
           g_.values[node.inputs[0]].type.dtype == half_;
  }
  // The opposite: read in its half form where it has one, so that nothing is widened in between.
  bool narrows_to_half(const Node& node) const {
    return node.op->name == "Cast" && node.outputs[0] != no_value &&
           g_.values[node.outputs[0]].type.dtype == half_ && half_of_.contains(node.inputs[0]);
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
      type.dtype = half_;
      const ValueId h = g_.add_value(type, g_.values[v].name);
      half_of_[v] = h;
      only_half_.insert(v);
      v = h;
    }
    give_half(node);
    TRY(infer(g_, node));
    out_.push_back(std::move(node));
    for (ValueId v : made) full(v);
    return {};
  }

  // Of a node that says itself of which type its result is.
  void give_half(Node& node) const {
    const DType* said = node.attrs.find<DType>("output_dtype");
    if (said && *said == DType::f32) set_type(node.attrs, "output_dtype", half_);
  }
  static void set_type(Attrs& attrs, std::string_view name, DType dtype) {
    for (const Field& field : attrs.schema()->fields())
      if (field.name == name) *static_cast<DType*>(attrs.field_for_writing(field)) = dtype;
  }

  // The FP32 form of v: itself where it is stored so.
  ValueId full(ValueId v) {
    if (only_half_.erase(v)) add_cast(half_of_.at(v), v, DType::f32);
    return v;
  }

  ValueId half_value(ValueId v) {
    if (auto it = half_of_.find(v); it != half_of_.end()) return it->second;
    if (const Tensor* t = g_.constant(v))
      return half_of_[v] = g_.add_constant(to_half_tensor(*t, half_), g_.values[v].name);
    TensorType type = g_.values[v].type;
    type.dtype = half_;
    const ValueId h = g_.add_value(type, g_.values[v].name);
    add_cast(v, h, half_);
    return half_of_[v] = h;
  }

  void add_cast(ValueId from, ValueId to, DType dtype) {
    const OpDef* op = find_op("Cast");
    Attrs attrs(op->attrs);
    set_type(attrs, "to", dtype);
    out_.push_back(
        {.op = op, .attrs = std::move(attrs), .inputs = {from}, .outputs = {to}, .provenance = {}});
  }

  Graph& g_;
  const DType half_;
  const std::span<const NodePrecision> asked_;
  std::vector<Node> out_;
  std::map<ValueId, ValueId> half_of_;  // FP32 value -> its half form
  std::set<ValueId> only_half_;         // FP32 values that so far exist only in their half form
  std::set<ValueId> kept_;              // FP32 on purpose
  std::set<ValueId> read_full_;         // of which every reader wants FP32
};

Result<bool> run(Graph& graph, const PassContext& context) {
  if (!context.half) return false;
  // Bodies keep FP32 at their borders: an If's captures and results are converted around it.
  return for_each_lowered_graph(graph, [&](Graph& g) { return Halver(g, *context.half, context).run(); });
}

}  // namespace

extern const Pass pass_half_precision;
const Pass pass_half_precision = {"half_precision",
                                  "stores FP32 values as FP16 or BF16 where their range allows it", run};

}  // namespace burnish
