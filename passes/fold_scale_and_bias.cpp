#include <algorithm>

#include "base/deferred_tensor.h"
#include "ir/infer.h"
#include "passes/pass.h"
#include "passes/provenance.h"

namespace burnish {

namespace {

// One float per output channel (axis 1 of the result), if `v` is a constant that varies along that axis only.
std::optional<std::vector<float>> per_channel(const Graph& g, ValueId v, size_t rank, int64_t channels) {
  const Tensor* t = g.constant(v);
  if (!t || t->dtype() != DType::f32) return std::nullopt;
  const Shape& shape = t->shape();
  if (shape.size() > rank) return std::nullopt;
  for (size_t k = 0; k < shape.size(); ++k) {
    const size_t axis = rank - shape.size() + k;
    if (shape[k] != 1 && !(axis == 1 && shape[k] == channels)) return std::nullopt;
  }
  std::vector<float> out(static_cast<size_t>(channels));
  for (size_t c = 0; c < out.size(); ++c) out[c] = t->data<float>()[t->count() == 1 ? 0 : c];
  return out;
}

bool is_convolution(const Node& node) { return node.op->name == "Conv" || node.op->name == "ConvTranspose"; }

// Output channels of a convolution's constant weights; 0 if they are no constant.
int64_t output_channels(const Graph& g, const Node& conv) {
  const Tensor* w = g.constant(conv.inputs[1]);
  if (!w || w->dtype() != DType::f32) return 0;
  return conv.op->name == "Conv" ? w->shape()[0] : w->shape()[1] * *conv.attrs.find<int64_t>("group");
}

Tensor scaled_weights(const Node& conv, const Tensor& w, const std::vector<float>& scale) {
  constexpr int64_t grain = 1 << 14;
  if (w.count() == 0) return w;
  const int64_t group = *conv.attrs.find<int64_t>("group");
  const bool by_row = conv.op->name == "Conv";
  return deferred_tensor(DType::f32, w.shape(), [=](std::byte* out, ThreadPool& pool) {
    const auto* from = reinterpret_cast<const float*>(w.bytes(pool));
    auto* to = reinterpret_cast<float*>(out);
    const int64_t a = w.shape()[0], b = w.shape()[1], window = w.count() / (a * b);
    pool.parallel_for(a * b, grain / window + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t row = i / b, column = i % b;
        const float by = scale[static_cast<size_t>(by_row ? row : row / (a / group) * b + column)];
        for (int64_t k = i * window; k < (i + 1) * window; ++k) to[k] = from[k] * by;
      }
    });
  });
}

// conv(x, w, b) * s -> conv(x, w * s, b * s) ;  conv(x, w, b) + t -> conv(x, w, b + t)
bool absorb(Graph& g, Node& conv, const Node& node, size_t constant_operand) {
  const size_t rank = g.values[node.outputs[0]].type.shape.size();
  const int64_t channels = output_channels(g, conv);
  if (channels == 0 || g.values[node.outputs[0]].type != g.values[conv.outputs[0]].type) return false;
  const auto values = per_channel(g, node.inputs[constant_operand], rank, channels);
  if (!values) return false;
  const bool has_bias = conv.inputs.size() > 2 && conv.inputs[2] != no_value;
  if (has_bias && (!g.constant(conv.inputs[2]) || g.constant(conv.inputs[2])->dtype() != DType::f32))
    return false;
  std::vector<float> bias(values->size(), 0.0f);
  if (has_bias) std::copy_n(g.constant(conv.inputs[2])->data<float>(), bias.size(), bias.begin());
  const bool scale = node.op->name == "Mul";
  if (scale) conv.inputs[1] = g.add_constant(scaled_weights(conv, *g.constant(conv.inputs[1]), *values));
  for (size_t c = 0; c < bias.size(); ++c) bias[c] = scale ? bias[c] * (*values)[c] : bias[c] + (*values)[c];
  if (has_bias || !scale) {
    conv.inputs.resize(3, no_value);
    conv.inputs[2] = g.add_constant(Tensor::of<float>(DType::f32, {channels}, bias));
  }
  conv.outputs[0] = node.outputs[0];
  add_provenance(conv.provenance, node);
  return true;
}

Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_graph(graph, [&](Graph& g) -> Result<bool> {
    bool any = false, changed = true;
    while (changed) {
      changed = false;
      const std::vector<uint32_t> uses = g.use_counts();
      for (Node& node : g.nodes) {
        if (node.dead || (node.op->name != "Mul" && node.op->name != "Add")) continue;
        for (size_t k = 0; k < 2 && !node.dead; ++k) {
          const uint32_t producer = g.values[node.inputs[k]].producer;
          if (producer == no_node || uses[node.inputs[k]] != 1 || g.nodes[producer].dead ||
              !is_convolution(g.nodes[producer]))
            continue;
          if (absorb(g, g.nodes[producer], node, 1 - k)) node.dead = changed = any = true;
        }
      }
      g.index();
    }
    return any;
  });
}

}  // namespace

extern const Pass pass_fold_scale_and_bias;
const Pass pass_fold_scale_and_bias = {
    "fold_scale_and_bias", "folds a constant scale or bias per channel into the convolution before it", run};

}  // namespace burnish
