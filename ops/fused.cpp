#include <algorithm>
#include <map>
#include <optional>

#include "ir/anchor.h"
#include "ir/evaluate.h"
#include "ir/op.h"

namespace burnish {

extern const OpDef op_fused;

namespace {

Result<> infer(InferCtx& c) {
  if (c.node.regions.size() != 1 || c.node.outputs.empty())
    return c.error("takes one body and gives at least one output");
  const Graph& body = c.node.regions[0];
  if (body.inputs.size() != c.input_count() || body.outputs.size() != c.output_count())
    return c.error("its body has another form");
  for (size_t i = 0; i < c.output_count(); ++i) {
    const TensorType& type = body.values[body.outputs[i]].type;
    if (type.shape != body.values[body.outputs[0]].type.shape)
      return c.error("its results have different extents");
    c.out(i, type);
  }
  return {};
}

// The value of a body while it is evaluated: an operand, or a temporary.
struct Slot {
  TensorView view;
  std::vector<std::byte> bytes;
};

Shape broadcast_shape(const std::vector<const TensorView*>& operands) {
  Shape shape;
  for (const TensorView* x : operands) {
    if (x->shape.size() > shape.size()) shape.insert(shape.begin(), x->shape.size() - shape.size(), 1);
    for (size_t k = 0; k < x->shape.size(); ++k) {
      int64_t& extent = shape[shape.size() - x->shape.size() + k];
      if (extent == 1) extent = x->shape[k];
    }
  }
  return shape;
}

// Floats inside a body are FP32 (or FP64): a body rounds nothing but its results.
DType inner_type(DType stored) { return stored == DType::f16 || stored == DType::bf16 ? DType::f32 : stored; }

// The axis that the body's slices halve.
std::optional<size_t> sliced_axis(const Graph& body) {
  for (const Node& node : body.nodes)
    if (node.op->name == "Slice")
      return static_cast<size_t>(body.constant(node.inputs[3])->data<int64_t>()[0]);
  return {};
}

Result<> eval(EvalCtx& c) {
  const Graph& body = c.node.regions[0];
  const Node& anchor = anchor_of(c.node);
  Shape whole = c.out(0).shape;  // of the anchor's result
  if (const auto axis = sliced_axis(body)) whole[*axis] *= 2;
  std::map<ValueId, Slot> slots;
  for (size_t i = 0; i < body.inputs.size(); ++i) slots[body.inputs[i]].view = c.in(i);
  for (const Node& node : body.nodes) {
    std::vector<const TensorView*> in;
    for (ValueId v : node.inputs) {
      if (v == no_value) {
        in.push_back(nullptr);
        continue;
      }
      if (const Tensor* t = body.constant(v); t && !slots.contains(v))
        slots[v].view = {t->dtype(), t->shape(), const_cast<std::byte*>(t->bytes())};
      in.push_back(&slots[v].view);
    }
    const ValueId y = node.outputs[0];
    Slot& out = slots[y];
    const auto k = static_cast<size_t>(std::ranges::find(body.outputs, y) - body.outputs.begin());
    if (c.wants(k)) {
      out.view = c.out(k);
    } else {
      std::vector<const TensorView*> present;
      for (const TensorView* x : in)
        if (x) present.push_back(x);
      out.view = {inner_type(body.values[y].type.dtype),
                  node.op->scalar            ? broadcast_shape(present)
                  : &node < &anchor          ? in[0]->shape
                  : node.op->name == "Slice" ? c.out(0).shape
                                             : whole,
                  nullptr};
      out.bytes.resize(std::max<size_t>(out.view.byte_size(), 1));
      out.view.bytes = out.bytes.data();
    }
    TensorView results[1] = {out.view};
    TRY(evaluate(node, in, results, c.pool, nullptr));
  }
  return {};
}

}  // namespace

// An anchor (ir/anchor.h) with the pointwise nodes that follow from it, some of them maybe from halves of its columns (ir/halves.h), and
// those that make what it reduces (made by the pass `fuse`), or pointwise work of the same extents, with several results (`merge_pointwise`): one kernel on a device.
const OpDef op_fused = {.name = "Fused", .infer = infer, .eval = eval};

}  // namespace burnish
