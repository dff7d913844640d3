#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/element.h"
#include "ops/conv.h"
#include "ops/pool.h"
#include "passes/pass.h"
#include "passes/provenance.h"
#include "passes/rewrite.h"

namespace burnish {

namespace {

/// Pads of the spatial axes as windows have them, begins and then ends; nothing where another axis is padded, one is cropped, or they
/// are not known.
std::optional<std::vector<int64_t>> spatial_pads(const Graph& g, const Node& pad) {
  const size_t rank = g.values[pad.inputs[0]].type.shape.size();
  const std::vector<Dim>*pads = g.content(pad.inputs[1]), *axes = nullptr;
  const bool some = pad.inputs.size() > 3 && pad.inputs[3] != no_value;
  if (some) axes = g.content(pad.inputs[3]);
  if (rank < 3 || !pads || (some && !axes)) return {};
  std::vector<int64_t> out(2 * (rank - 2), 0);
  const size_t count = pads->size() / 2;
  for (size_t k = 0; k < 2 * count; ++k) {
    const auto amount = g.dims->value((*pads)[k]);
    const auto axis = some ? g.dims->value((*axes)[k % count]) : static_cast<int64_t>(k % count);
    if (!amount || !axis || *amount < 0) return {};
    const int64_t spatial = (*axis < 0 ? *axis + static_cast<int64_t>(rank) : *axis) - 2;
    if (spatial < 0 && *amount != 0) return {};
    if (spatial >= 0) out[static_cast<size_t>(spatial) + (k < count ? 0 : rank - 2)] = *amount;
  }
  return out;
}

/// What is written around the tensor: 0 unless it says otherwise, NaN if only a run can tell.
double border_of(const Graph& g, const Node& pad) {
  if (pad.inputs.size() < 3 || pad.inputs[2] == no_value) return 0;
  const Tensor* value = g.constant(pad.inputs[2]);
  double number = std::numeric_limits<double>::quiet_NaN();
  if (value && value->count() == 1 && is_float(value->dtype()))
    visit_storage(value->dtype(), [&]<class T>(T*) {
      if constexpr (std::is_floating_point_v<T>) number = value->data<T>()[0];
      else if constexpr (!std::is_integral_v<T>) number = to_float(value->data<T>()[0]);
    });
  return number;
}

bool is_nowhere_negative(const Graph& g, ValueId v) {
  const Node* maker = g.producer(v);
  return maker &&
         (maker->op->name == "Relu" || maker->op->name == "Sigmoid" || maker->op->name == "HardSigmoid");
}

/// Adds the pads to a window's own, if with them it sees what it saw: zeros, or nothing.
bool fold(ConvAttrs& window, const std::vector<int64_t>& pads, double border) {
  if (border != 0 || window.auto_pad != "NOTSET") return false;
  std::ranges::transform(window.pads, pads, window.pads.begin(), std::plus<>());
  return true;
}

/// Of a pool every window must have an element of the tensor in it, and count the border only if it did.
bool fold(PoolAttrs& window, const std::vector<int64_t>& pads, double border, bool average,
          bool nowhere_negative) {
  if (window.auto_pad != "NOTSET" || window.ceil_mode) return false;
  const bool own = std::ranges::any_of(window.pads, [](int64_t p) { return p != 0; });
  if (average ? border != 0 || (own && !window.count_include_pad)
              : !(border == -std::numeric_limits<double>::infinity() || (border == 0 && nowhere_negative)))
    return false;
  std::ranges::transform(window.pads, pads, window.pads.begin(), std::plus<>());
  const size_t axes = window.kernel_shape.size();
  for (size_t k = 0; k < window.pads.size(); ++k)
    if (window.pads[k] > (window.kernel_shape[k % axes] - 1) * window.dilations[k % axes]) return false;
  if (average) window.count_include_pad = true;
  return true;
}

Result<bool> rewrite(Graph& g, const std::vector<uint32_t>&, const Node& node, std::vector<Node>& out) {
  const bool conv = node.op->name == "Conv", average = node.op->name == "AveragePool";
  if (!conv && !average && (node.op->name != "MaxPool" || node.outputs.size() > 1)) return false;
  const Node* pad = g.producer(node.inputs[0]);
  if (!pad || pad->op->name != "Pad" || *pad->attrs.find<std::string>("mode") != "constant") return false;
  const auto pads = spatial_pads(g, *pad);
  if (!pads) return false;
  const double border = border_of(g, *pad);
  Node folded = node;
  if (conv) {
    auto attrs = node.attrs.as<ConvAttrs>();
    if (!fold(attrs, *pads, border)) return false;
    folded.attrs = attrs;
  } else {
    auto attrs = node.attrs.as<PoolAttrs>();
    if (!fold(attrs, *pads, border, average, is_nowhere_negative(g, pad->inputs[0]))) return false;
    folded.attrs = attrs;
  }
  folded.inputs[0] = pad->inputs[0];
  add_provenance(folded.provenance, *pad);
  out.push_back(std::move(folded));
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) { return rewrite_lowered_graphs(graph, rewrite); }

}  // namespace

extern const Pass pass_fold_pads;
const Pass pass_fold_pads = {"fold_pads", "padding before convolutions and pools goes into their windows",
                             run};

}  // namespace burnish
