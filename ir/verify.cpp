#include "ir/verify.h"

#include <vector>

#include "ir/infer.h"
#include "ir/origin.h"

namespace burnish {

namespace {

class Verifier {
 public:
  Verifier(const Graph& graph, GraphStage stage)
      : graph_(graph), stage_(stage), defined_(graph.values.size()) {}

  Result<> all() {
    for (ValueId v : graph_.inputs) TRY(define(v, "graph '" + graph_.name + "'"));
    for (ValueId v = 0; v < graph_.values.size(); ++v)
      if (const Tensor* t = graph_.constant(v)) TRY(constant(v, *t));
    for (const Node& node : graph_.nodes)
      if (!node.dead) TRY(one(node));
    for (ValueId v : graph_.outputs)
      if (!is_defined(v)) return fail("graph '" + graph_.name + "'", "output " + name(v) + " is not defined");
    TRY(origins());
    return types();
  }

 private:
  static Error fail(const std::string& where, const std::string& what) {
    return Error(Code::internal, where + ": " + what)
        .remedy("this is an error in Burnish: please report it with the model");
  }
  std::string name(ValueId v) const {
    const bool named = v < graph_.values.size() && !graph_.values[v].name.empty();
    return named ? "'" + graph_.values[v].name + "'" : "v" + std::to_string(v);
  }
  bool is_defined(ValueId v) const { return v < defined_.size() && defined_[v]; }

  Result<> define(ValueId v, const std::string& where) {
    if (v >= defined_.size()) return fail(where, "value " + std::to_string(v) + " does not exist");
    if (defined_[v]) return fail(where, "value " + name(v) + " is defined twice");
    defined_[v] = true;
    return {};
  }

  Result<> constant(ValueId v, const Tensor& t) {
    TRY(define(v, "constant " + name(v)));
    const TensorType& type = graph_.values[v].type;
    bool same = type.dtype == t.dtype() && type.shape.size() == t.shape().size();
    for (size_t i = 0; same && i < type.shape.size(); ++i)
      same = graph_.dims->is_constant(type.shape[i], t.shape()[i]);
    return same ? Result<>() : fail("constant " + name(v), "its type is not its tensor's");
  }

  Result<> one(const Node& node) {
    if (!node.op) return fail("graph '" + graph_.name + "'", "a node has no operator");
    const std::string where = describe(node);
    if (!node.op->infer) return fail(where, "the operator is a decomposition, which no graph may hold");
    if (node.attrs.schema() != node.op->attrs) return fail(where, "its attributes are another operator's");
    if (stage_ == GraphStage::lowerable && !node.op->eval && !node.op->view && node.regions.empty())
      return fail(where, "the operator can not be run");
    for (ValueId v : node.inputs)
      if (v != no_value && !is_defined(v))
        return fail(where, "operand " + name(v) + " is not defined before it");
    for (ValueId v : node.outputs)
      if (v != no_value) TRY(define(v, where));
    for (const Graph& region : node.regions) {
      if (region.dims != graph_.dims) return fail(where, "a region has extents of its own");
      TRY(Verifier(region, GraphStage::imported).all().during("checking a region of " + where));
    }
    return {};
  }

  // A node's operands and results are checked by now, so the value exists.
  Result<> origins() const {
    for (const auto& [symbol, origin] : graph_.origins) {
      const std::string where = "symbol '" + graph_.dims->text(symbol) + "'";
      if (graph_.dims->op(symbol) != DimOp::symbol) return fail(where, "is no symbol");
      if (origin.value >= graph_.values.size()) return fail(where, "comes from a value that does not exist");
      if (origin.kind == SymbolOrigin::Kind::content) continue;
      if (origin.index >= graph_.values[origin.value].type.shape.size())
        return fail(where, "comes from axis " + std::to_string(origin.index) + " of " + name(origin.value) +
                               ", which has less");
    }
    if (stage_ != GraphStage::lowerable) return {};
    for (ValueId v = 0; v < graph_.values.size(); ++v)
      if (is_defined(v))
        for (Dim d : graph_.values[v].type.shape)
          for (Dim s : graph_.dims->symbols(graph_.dims->resolve(d)))
            if (!graph_.origins.contains(s))
              return fail("value " + name(v),
                          "nothing tells extent '" + graph_.dims->text(s) + "' when the engine runs");
    return {};
  }

  // Inference again, on a copy (of the extents' table too, for inference may write there): what it gives must be what the
  // graph says.
  Result<> types() const {
    Graph copy = detached(graph_);
    for (Node& node : copy.nodes) {
      if (node.dead) continue;
      TRY(infer(copy, node));
      for (ValueId v : node.outputs) {
        if (v == no_value) continue;
        TensorType have = graph_.values[v].type, want = copy.values[v].type;
        for (Dim& d : have.shape) d = copy.dims->resolve(d);
        for (Dim& d : want.shape) d = copy.dims->resolve(d);
        if (have != want)
          return fail(describe(node), "its result " + name(v) + " is said to be " + text(have, *copy.dims) +
                                          ", inference gives " + text(want, *copy.dims));
        copy.values[v].type = std::move(have);
      }
    }
    return {};
  }
  static std::string text(const TensorType& type, const DimTable& dims) {
    return std::string(name_of(type.dtype)) + dims.text(type.shape);
  }

  const Graph& graph_;
  GraphStage stage_;
  std::vector<bool> defined_;
};

}  // namespace

Result<> verify(const Graph& graph, GraphStage stage) { return Verifier(graph, stage).all(); }

}  // namespace burnish
