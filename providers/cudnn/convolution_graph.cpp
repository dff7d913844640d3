#include "providers/cudnn/convolution_graph.h"

#include <map>

#include "ir/anchor_operands.h"
#include "ops/conv.h"
#include "ops/deferred_weights.h"
#include "ops/product_kernel.h"
#include "providers/cudnn/graph_reader.h"

namespace burnish::cudnn {

namespace {

/// [outputs][inputs][height][width] -> [outputs][height][width][inputs].
Tensor channels_last(const Tensor& w) {
  const int64_t outputs = w.shape()[0], inputs = w.shape()[1], taps = w.shape()[2] * w.shape()[3];
  return deferred_weights(w, {outputs, w.shape()[2], w.shape()[3], inputs},
                          [=]<class T>(const T* from, T* to) {
                            for (int64_t o = 0; o < outputs; ++o)
                              for (int64_t t = 0; t < taps; ++t)
                                for (int64_t i = 0; i < inputs; ++i)
                                  *to++ = from[(o * inputs + i) * taps + t];
                          });
}

class ConvolutionReader : GraphReader {
 public:
  ConvolutionReader(KernelCtx& ctx, KernelCtx& anchor, NodeGraph& out)
      : GraphReader(ctx, out), anchor_(anchor) {}

  Verdict read() {
    if (Verdict v = product_type_verdict(anchor_.in(0).dtype); !v) return v;
    if (anchor_.in(0).dtype == DType::f32 && !ctx_.tf32())
      return Verdict::no("the library would round its operands to TF32");
    if (anchor_.in(0).shape.size() != 4) return Verdict::no("it is over another number of axes than two");
    if (Verdict v = fixed_extents(); !v) return v;
    if (Verdict v = convolve(); !v) return v;
    return follow();
  }

 private:
  /// What an operation gives: the node's result after the last one, else in no memory.
  size_t result(bool last) {
    const std::vector<int64_t> extents = values(ctx_.out(0).shape), strides = values(ctx_.out_strides(0));
    if (last)
      return in_memory(ctx_.out_pointer(0), ctx_.out(0).dtype, extents, strides, ctx_.out_alignment(0));
    return between(extents, strides);
  }
  size_t operand(OperandPointer pointer, const TensorType& type, std::span<const Dim> strides,
                 int64_t alignment) {
    const size_t rank = ctx_.out(0).shape.size();
    std::vector<int64_t> extents(rank - type.shape.size(), 1), spread = values(strides);
    spread.insert(spread.begin(), rank - type.shape.size(), 1);
    for (Dim d : type.shape) extents.push_back(value(d));
    return in_memory(pointer, type.dtype, std::move(extents), std::move(spread), alignment);
  }
  /// One number for each channel of each image: cuDNN 9.14 takes such operands and reads them wrong.
  bool differs_by_image_alone(const TensorType& type) const {
    const std::vector<int64_t> result = values(ctx_.out(0).shape), own = values(type.shape);
    return own.size() == 4 && own[0] > 1 && (own[2] < result[2] || own[3] < result[3]);
  }

  Verdict convolve() {
    const ConvAttrs& attrs = anchor_.attrs<ConvAttrs>();
    const Tensor* w = anchor_.constant_operand(1);
    if (!w) return Verdict::no("the weights are computed, not stored");
    if (attrs.auto_pad != "NOTSET") return Verdict::no("SAME padding of an extent that is not known");
    const Shape& shape = w->shape();
    const int64_t inputs = shape[1], height = shape[2], width = shape[3];
    OperationGraph::Convolution c;
    c.strides = attrs.strides;
    c.dilations = attrs.dilations;
    c.before = {attrs.pads[0], attrs.pads[1]};
    c.after = {attrs.pads[2], attrs.pads[3]};
    c.x = in_memory(anchor_.in_pointer(0), anchor_.in(0).dtype, values(anchor_.in(0).shape),
                    values(anchor_.in_strides(0)), anchor_.in_alignment(0));
    c.w = in_memory(anchor_.constant(channels_last(*w)), w->dtype(), {shape[0], inputs, height, width},
                    {height * width * inputs, 1, width * inputs, inputs}, 64);
    const bool biased = anchor_.has(2), alone = &ctx_ == &anchor_;
    c.y = current_ = result(alone && !biased);
    add(std::move(c));
    if (!biased) return Verdict::yes();
    const int64_t channels = shape[0];
    const size_t bias = in_memory(anchor_.in_pointer(2), anchor_.in(2).dtype, {1, channels, 1, 1},
                                  {channels, 1, channels, channels}, 1);
    if (value(anchor_.in_strides(2)[0]) != 1) return Verdict::no("its bias is no dense vector");
    apply({pointwise_add, current_, bias, 0}, alone);
    return Verdict::yes();
  }

  void apply(OperationGraph::Pointwise p, bool last) {
    p.y = current_ = result(last);
    add(p);
  }

  /// The nodes fused to the convolution, in order.
  Verdict follow() {
    if (&ctx_ == &anchor_) return Verdict::yes();
    const Graph& body = anchor_.graph;
    made_[anchor_.node.outputs[0]] = current_;
    for (size_t i = anchor_index(body) + 1; i < body.nodes.size(); ++i) {
      const Node& node = body.nodes[i];
      OperationGraph::Pointwise p{.mode = pointwise_add, .x = 0, .b = {}, .y = 0};
      if (Verdict v = mode_of(body, node, p); !v) return v;
      const size_t operands = node.op->name == "Clip" ? 1 : node.inputs.size();
      for (size_t k = 0; k < operands; ++k) {
        if (!made_.contains(node.inputs[k]) && differs_by_image_alone(body.values[node.inputs[k]].type))
          return Verdict::no("an operand of " + describe(node) + " differs by image, but not all over it");
        const auto tensor = tensor_of(body, node.inputs[k]);
        if (!tensor) return Verdict::no("a number is an operand of " + describe(node));
        if (k == 0) p.x = *tensor;
        else p.b = *tensor;
      }
      apply(p, i + 1 == body.nodes.size());
      made_[node.outputs[0]] = current_;
    }
    return Verdict::yes();
  }

  Verdict mode_of(const Graph& body, const Node& node, OperationGraph::Pointwise& p) const {
    static const std::map<std::string_view, PointwiseMode> modes = {
        {"Add", pointwise_add},   {"Mul", pointwise_multiply}, {"Sub", pointwise_subtract},
        {"Relu", pointwise_relu}, {"Tanh", pointwise_tanh},    {"Sigmoid", pointwise_sigmoid},
        {"Gelu", pointwise_gelu}, {"Swish", pointwise_swish},  {"Clip", pointwise_relu},
    };
    const auto found = modes.find(node.op->name);
    const auto number = [&](size_t i) {
      const Tensor* t = node.inputs[i] == no_value ? nullptr : body.constant(node.inputs[i]);
      return t && t->count() == 1 && t->dtype() == DType::f32 ? std::optional(t->data<float>()[0])
                                                              : std::nullopt;
    };
    if (found == modes.end()) return Verdict::no("the library has no '" + std::string(node.op->name) + "'");
    p.mode = found->second;
    if (node.op->name == "Gelu" && *node.attrs.find<std::string>("approximate") == "tanh")
      p.mode = pointwise_gelu_tanh;
    if (const float* alpha = node.attrs.find<float>("alpha"); alpha && *alpha != 1)
      return Verdict::no("its swish has an alpha of its own");
    if (node.op->name != "Clip") return Verdict::yes();
    if (number(1) != 0.0f || !number(2)) return Verdict::no("it clips at another number than 0");
    p.upper_clip = *number(2);
    return Verdict::yes();
  }

  /// Nothing for a number.
  std::optional<size_t> tensor_of(const Graph& body, ValueId v) {
    if (const auto known = made_.find(v); known != made_.end()) return known->second;
    const auto input = std::ranges::find(body.inputs, v);
    if (input == body.inputs.end()) return {};
    const auto i = static_cast<size_t>(input - body.inputs.begin());
    return made_[v] = operand(ctx_.in_pointer(i), ctx_.in(i), ctx_.in_strides(i), ctx_.in_alignment(i));
  }

  KernelCtx& anchor_;
  size_t current_ = 0;  // what the last operation gave
  std::map<ValueId, size_t> made_;
};

}  // namespace

Verdict convolution_graph(KernelCtx& ctx, KernelCtx& anchor, NodeGraph& out) {
  return ConvolutionReader(ctx, anchor, out).read();
}

}  // namespace burnish::cudnn
