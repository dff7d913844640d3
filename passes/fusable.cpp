#include "passes/fusable.h"

#include <algorithm>

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

}  // namespace

bool has_epilogue(const Graph& g, const Node& node) {
  if (!node.op->epilogue || is_contraction(node)) return node.op->epilogue;
  if (node.op->name == "Gather" && !picks_rows(g, node)) return false;
  return gives_one(node) && computes_in_float(g.values[node.outputs[0]].type);
}

int readings_of(const Graph& g, const Node& node) {
  const bool can = node.op->readings && gives_one(node) && computes_in_float(g.values[node.inputs[0]].type);
  return can ? node.op->readings(g, node) : 0;
}

size_t count_whole(const Graph& g, const std::set<ValueId>& values, std::span<const Dim> shape) {
  return static_cast<size_t>(std::ranges::count_if(
      values, [&](ValueId v) { return v != no_value && std::ranges::equal(g.values[v].type.shape, shape); }));
}

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

}  // namespace burnish
