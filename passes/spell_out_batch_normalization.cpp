#include <cmath>

#include "ir/element.h"
#include "ir/infer.h"
#include "passes/pass.h"

namespace burnish {

namespace {

float float_element(const Tensor& t, int64_t i) {
  return visit_storage(t.dtype(), [&]<class T>(T*) -> float {
    if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16>) return to_float(t.data<T>()[i]);
    else return static_cast<float>(t.data<T>()[i]);
  });
}

// x * scale + shift with scale and shift per channel (axis 1), computed in double.
Result<bool> rewrite(Graph& g, size_t at, std::vector<Node>& out) {
  const Node node = g.nodes[at];
  const Tensor* p[4];
  for (size_t i = 0; i < 4; ++i)
    if (p[i] = g.constant(node.inputs[i + 1]); !p[i] || p[i]->dtype() != DType::f32) return false;
  const float epsilon = *node.attrs.find<float>("epsilon");
  const TensorType& x = g.values[node.inputs[0]].type;
  const int64_t channels = p[0]->count();
  std::vector<float> scale, shift;
  for (int64_t c = 0; c < channels; ++c) {
    const double s = float_element(*p[0], c) / std::sqrt(double{float_element(*p[3], c)} + epsilon);
    scale.push_back(static_cast<float>(s));
    shift.push_back(static_cast<float>(float_element(*p[1], c) - s * float_element(*p[2], c)));
  }
  Shape shape{channels};
  for (size_t axis = 2; axis < x.shape.size(); ++axis) shape.push_back(1);
  const ValueId scaled = g.add_value(g.values[node.outputs[0]].type);
  const ValueId s = g.add_constant(Tensor::of<float>(DType::f32, shape, scale));
  const ValueId b = g.add_constant(Tensor::of<float>(DType::f32, shape, shift));
  out.push_back({.op = find_op("Mul"),
                 .inputs = {node.inputs[0], s},
                 .outputs = {scaled},
                 .provenance = node.provenance});
  out.push_back({.op = find_op("Add"),
                 .inputs = {scaled, b},
                 .outputs = {node.outputs[0]},
                 .provenance = node.provenance});
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_graph(graph, [](Graph& g) -> Result<bool> {
    bool changed = false;
    std::vector<Node> nodes;
    for (size_t i = 0; i < g.nodes.size(); ++i) {
      if (!g.nodes[i].dead && g.nodes[i].op->name == "BatchNormalization" && TRY(rewrite(g, i, nodes)))
        changed = true;
      else nodes.push_back(std::move(g.nodes[i]));
    }
    g.nodes = std::move(nodes);
    g.index();
    return changed;
  });
}

}  // namespace

extern const Pass pass_spell_out_batch_normalization;
const Pass pass_spell_out_batch_normalization = {
    "spell_out_batch_normalization",
    "turns batch normalisation with stored statistics into a scale and a bias", run};

}  // namespace burnish
