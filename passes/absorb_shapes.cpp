#include "ir/op.h"
#include "passes/pass.h"

namespace burnish {

namespace {

// True if every symbol of the content is known from elsewhere than the value itself.
bool independent(const Graph& g, ValueId v) {
  for (Dim d : *g.content(v))
    for (Dim symbol : g.dims->symbols(d)) {
      auto origin = g.origins.find(symbol);
      if (origin != g.origins.end() && origin->second.value == v) return false;
    }
  return true;
}

// Int64 vectors and scalars whose elements are known as extents no longer depend on the arithmetic that spelled them out.
Result<bool> run(Graph& graph, const PassContext&) {
  return for_each_lowered_graph(graph, [](Graph& g) -> Result<bool> {
    const OpDef* dims_op = find_op("Dims");
    bool changed = false;
    for (Node& node : g.nodes) {
      if (node.dead || node.op == dims_op || node.outputs.size() != 1 || node.outputs[0] == no_value)
        continue;
      const ValueId v = node.outputs[0];
      const Value& value = g.values[v];
      if (!value.content || value.constant || value.type.dtype != DType::i64 || value.type.shape.size() > 1 ||
          !independent(g, v))
        continue;
      Attrs attrs(dims_op->attrs);
      for (const Field& field : dims_op->attrs->fields()) {
        if (field.kind == Field::Kind::dims)
          *static_cast<std::vector<Dim>*>(attrs.field_for_writing(field)) = *value.content;
        if (field.name == "scalar")
          *static_cast<bool*>(attrs.field_for_writing(field)) = value.type.shape.empty();
      }
      node = Node{
          .op = dims_op, .attrs = std::move(attrs), .outputs = {v}, .provenance = std::move(node.provenance)};
      changed = true;
    }
    return changed;
  });
}

}  // namespace

extern const Pass pass_absorb_shapes;
const Pass pass_absorb_shapes = {"absorb_shapes", "replaces shape arithmetic by the extents it computes",
                                 run};

}  // namespace burnish
