#include "ir/evaluate_graph.h"

#include "ir/constant.h"
#include "ir/evaluate.h"
#include "ir/infer.h"
#include "ir/origin.h"

namespace burnish {

namespace {

/// One evaluation: a copy of the graph in which one value after the other becomes a constant.
class Evaluation {
 public:
  Evaluation(const Graph& graph, ThreadPool& pool) : g_(detached(graph)), pool_(pool) {
    for (Value& value : g_.values)
      if (!value.constant) value.content.reset();
  }

  Result<std::vector<Tensor>> run(std::span<const Tensor> inputs) {
    for (size_t i = 0; i < inputs.size(); ++i) define(g_.inputs[i], inputs[i]);
    for (Node& node : g_.nodes)
      if (!node.dead) TRY(run(node));
    std::vector<Tensor> outputs;
    for (ValueId v : g_.outputs) outputs.push_back(*g_.values[v].constant);
    return outputs;
  }

 private:
  // What a node with bodies gives only its bodies tell; the branch not taken need not even fit these extents.
  Result<> run(Node& node) {
    if (node.regions.empty()) TRY(infer(g_, node));
    if (TRY(fold(g_, node, pool_))) {
      for (ValueId v : node.outputs) learn_symbols(v);
      return {};
    }
    auto results = TRY(evaluate_constant(g_, node, pool_));
    if (!results) return Error(Code::internal, describe(node) + ": does not run on the host");
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (node.outputs[i] != no_value) define(node.outputs[i], (*results)[i]);
    return {};
  }

  void define(ValueId v, const Tensor& tensor) {
    make_constant(g_, v, std::make_shared<const Tensor>(tensor));
    learn_symbols(v);
  }

  // Attributes may name symbols that come from v. Two that had to be equal and are not are left to the node that says why.
  void learn_symbols(ValueId v) {
    for (const auto& [symbol, origin] : g_.origins) {
      if (origin.value != v) continue;
      const bool content = origin.kind == SymbolOrigin::Kind::content;
      const std::vector<Dim>* known = content ? g_.content(v) : &g_.values[v].type.shape;
      if (known && origin.index < known->size())
        static_cast<void>(g_.dims->unify(symbol, (*known)[origin.index], g_.values[v].name));
    }
  }

  Graph g_;
  ThreadPool& pool_;
};

}  // namespace

Result<std::vector<Tensor>> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs,
                                           ThreadPool& pool) {
  return Evaluation(graph, pool).run(inputs);
}

Tensor borrowed(const TensorView& view) {
  return {view.dtype, view.shape, std::shared_ptr<const std::byte>(std::shared_ptr<void>(), view.bytes)};
}

}  // namespace burnish
