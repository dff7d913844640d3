#include "compiler/port_formats.h"

#include <algorithm>

#include "ir/op.h"

namespace burnish {

namespace {

struct Side {
  const char* option;  // of the command line
  const char* kind;
  const std::vector<ValueId>& ports;
};

Error refused(const Side& side, const std::string& name, const std::string& why) {
  return Error(Code::invalid_argument, std::string(side.option) + " " + name + ": " + why);
}

Result<ValueId> port_named(const Graph& graph, const Side& side, const std::string& name) {
  std::string known;
  for (ValueId v : side.ports) {
    if (graph.values[v].name == name) return v;
    known += (known.empty() ? "'" : ", '") + graph.values[v].name + "'";
  }
  return refused(side, name, "the model has no " + std::string(side.kind) + " '" + name + "'")
      .remedy(known.empty() ? "it has none" : "it has " + known);
}

Result<> check(const Side& side, const std::string& name, const TensorType& type, const PortFormat& format) {
  const std::string port = std::string(side.kind) + " '" + name + "'";
  if (format.layout == Layout::channels_last && type.shape.size() < 3)
    return refused(side, name,
                   port + " has " + std::to_string(type.shape.size()) +
                       " axes, and channels go last where there are three or more")
        .remedy("leave its layout away");
  if (format.dtype && *format.dtype != type.dtype && !(is_float(*format.dtype) && is_float(type.dtype)))
    return refused(side, name,
                   port + " is " + std::string(name_of(type.dtype)) + " and cannot be " +
                       std::string(name_of(*format.dtype)))
        .remedy("only floating-point types are converted; leave its type away");
  return {};
}

Node cast(ValueId from, ValueId to, DType dtype, const std::string& name) {
  const OpDef* op = find_op("Cast");
  Attrs attrs(op->attrs);
  for (const Field& field : op->attrs->fields())
    if (field.name == "to") *static_cast<DType*>(attrs.field_for_writing(field)) = dtype;
  return {.op = op, .attrs = std::move(attrs), .inputs = {from}, .outputs = {to}, .provenance = {name}};
}

void replace(std::vector<ValueId>& list, ValueId from, ValueId to) {
  std::replace(list.begin(), list.end(), from, to);
}

// The port keeps its value; the model gets one of its own type.
ValueId split(Graph& graph, ValueId port, DType dtype) {
  Value& value = graph.values[port];
  const ValueId inner = graph.add_value(value.type, value.name);
  graph.values[port].type.dtype = dtype;
  return inner;
}

void convert_input(Graph& graph, ValueId port, DType dtype) {
  const DType own = graph.values[port].type.dtype;
  const ValueId inner = split(graph, port, dtype);
  for (Node& node : graph.nodes) replace(node.inputs, port, inner);
  graph.nodes.insert(graph.nodes.begin(), cast(port, inner, own, graph.values[port].name));
  graph.index();
}

void convert_output(Graph& graph, ValueId port, DType dtype) {
  const ValueId inner = split(graph, port, dtype);
  for (Node& node : graph.nodes) {
    replace(node.inputs, port, inner);
    replace(node.outputs, port, inner);
  }
  for (auto& [symbol, origin] : graph.origins)
    if (origin.value == port) origin.value = inner;
  graph.nodes.push_back(cast(inner, port, dtype, graph.values[port].name));
  graph.index();
}

}  // namespace

Result<> apply_port_formats(Graph& graph, const PortFormats& inputs, const PortFormats& outputs) {
  const Side in{"--input-formats", "input", graph.inputs}, out{"--output-formats", "output", graph.outputs};
  for (const auto& [side, formats] : {std::pair(&in, &inputs), std::pair(&out, &outputs)})
    for (const auto& [name, format] : *formats) {
      const ValueId port = TRY(port_named(graph, *side, name));
      TRY(check(*side, name, graph.values[port].type, format));
      const DType dtype = format.dtype.value_or(graph.values[port].type.dtype);
      if (dtype == graph.values[port].type.dtype) continue;
      side == &in ? convert_input(graph, port, dtype) : convert_output(graph, port, dtype);
    }
  return {};
}

std::vector<std::vector<int>> port_orders(const Graph& graph, const std::vector<ValueId>& ports,
                                          const PortFormats& formats) {
  std::vector<std::vector<int>> orders;
  for (ValueId v : ports) {
    std::vector<int>& order = orders.emplace_back();
    const auto found = formats.find(graph.values[v].name);
    if (found == formats.end() || found->second.layout == Layout::row_major) continue;
    order.push_back(0);
    for (size_t axis = 2; axis < graph.values[v].type.shape.size(); ++axis)
      order.push_back(static_cast<int>(axis));
    order.push_back(1);
  }
  return orders;
}

}  // namespace burnish
