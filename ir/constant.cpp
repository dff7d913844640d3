#include "ir/constant.h"

namespace burnish {

void make_constant(Graph& graph, ValueId v, const std::shared_ptr<const Tensor>& tensor) {
  const ValueId made = graph.add_constant(*tensor);  // its type and content
  Value& value = graph.values[v];
  value.type = std::move(graph.values[made].type);
  value.content = std::move(graph.values[made].content);
  value.constant = tensor;
  value.producer = no_node;
  graph.values.pop_back();
}

}  // namespace burnish
