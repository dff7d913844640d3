#include "ir/halves.h"

#include "ir/op.h"

namespace burnish {

std::optional<Half> half_of(const Graph& g, const Node& node, size_t i) {
  if ((node.op->name != "Slice" && node.op->name != "Split") || node.outputs[i] == no_value) return {};
  DimTable& dims = *g.dims;
  const std::vector<Dim>&whole = g.values[node.inputs[0]].type.shape,
        &part = g.values[node.outputs[i]].type.shape;
  std::optional<size_t> axis;
  for (size_t a = 0; a < whole.size(); ++a) {
    if (whole[a] == part[a]) continue;
    if (axis || whole[a] != dims.mul(part[a], dims.constant(2))) return {};
    axis = a;
  }
  if (!axis) return {};
  const StridedView dense{dims.constant(0), dense_strides(dims, whole)};
  std::vector<StridedView> parts(node.outputs.size());
  ViewCtx ctx{g, node, dims, whole, dense, parts};
  if (!node.op->view(ctx) || parts[i].strides != dense.strides) return {};
  const bool first = dims.is_constant(parts[i].offset, 0);
  if (!first && parts[i].offset != dims.mul(part[*axis], dense.strides[*axis])) return {};
  return Half{node.inputs[0], *axis, !first};
}

std::optional<size_t> halved_axis(const Graph& body) {
  for (const Node& node : body.nodes)
    if (const auto half = half_of(body, node)) return half->axis;
  return {};
}

}  // namespace burnish
