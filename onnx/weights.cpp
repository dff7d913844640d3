#include "onnx/weights.h"

#include <algorithm>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "onnx/fields.h"

namespace burnish::onnx {

namespace {

namespace tensor = fields::TensorProto;

/// Exporters fill tensors for factors and scales too, which are no weights.
bool is_one_number(const Tensor& t) {
  const size_t size = size_of(t.dtype()), bytes = t.byte_size();
  return bytes <= size || std::equal(t.bytes(), t.bytes() + bytes - size, t.bytes() + size);
}

/// The tensor of a node that is to be an initialiser; null for others.
const Literal* weight_of(const Node& node) {
  const Attribute* value =
      node.op_type == "Constant" && node.domain.empty() ? node.attribute("value") : nullptr;
  const bool is_weight = value && value->t && value->t->dtype && is_float(*value->t->dtype) &&
                         !is_one_number(value->t->payload) && node.outputs.size() == 1;
  return is_weight ? value->t.get() : nullptr;
}

/// A message copied field by field. `change(out, message)` may write another field in place of the one that `message` stands at:
/// then it has read that one, and says so.
template <class Change>
std::string copied(protozero::data_view bytes, const Change& change) {
  protozero::pbf_reader message(bytes);
  std::string out;
  const char* begin = message.data().data();
  while (message.next()) {
    if (!change(out, message)) {
      message.skip();
      out.append(begin, message.data().data());
    }
    begin = message.data().data();
  }
  return out;
}

/// Whether a NodeProto is a Constant whose output is among `names`.
bool makes_one_of(protozero::data_view bytes, const std::set<std::string>& names) {
  protozero::pbf_reader node(bytes);
  bool is_constant = false, is_named = false;
  while (node.next())
    if (node.tag() == fields::NodeProto::op_type) is_constant = node.get_string() == "Constant";
    else if (node.tag() == fields::NodeProto::output) is_named = names.contains(node.get_string());
    else node.skip();
  return is_constant && is_named;
}

bool is_external(protozero::data_view bytes) {
  protozero::pbf_reader message(bytes);
  while (message.next())
    if (message.tag() == tensor::data_location) return message.get_enum() == location_external;
    else message.skip();
  return false;
}

bool holds_values(uint32_t field) {
  constexpr uint32_t values[] = {tensor::float_data,    tensor::int32_data,   tensor::int64_data,
                                 tensor::raw_data,      tensor::double_data,  tensor::uint64_data,
                                 tensor::external_data, tensor::data_location};
  return std::find(std::begin(values), std::end(values), field) != std::end(values);
}

void say_elsewhere(protozero::pbf_writer& writer) {
  writer.add_enum(tensor::data_location, static_cast<int32_t>(location_external));
}

/// An initialiser without its values if it is a weight, else with them inside.
std::string rewritten(protozero::data_view bytes, const Literal& literal, bool is_weight) {
  if (!is_weight && !(literal.dtype && is_external(bytes))) return {bytes.data(), bytes.size()};
  std::string out = copied(bytes, [](std::string&, protozero::pbf_reader& field) {
    if (!holds_values(field.tag())) return false;
    field.skip();
    return true;
  });
  protozero::pbf_writer writer(out);
  if (is_weight) say_elsewhere(writer);
  else
    writer.add_bytes(tensor::raw_data, reinterpret_cast<const char*>(literal.payload.bytes()),
                     literal.payload.byte_size());
  return out;
}

std::string without_values(const Literal& literal) {
  std::string out;
  protozero::pbf_writer writer(out);
  writer.add_packed_int64(tensor::dims, literal.dims.begin(), literal.dims.end());
  writer.add_int32(tensor::data_type, literal.data_type);
  writer.add_string(tensor::name, literal.name);
  say_elsewhere(writer);
  return out;
}

std::string graph_without_weights(protozero::data_view bytes, const std::vector<Literal>& initializers,
                                  const std::set<std::string>& names) {
  size_t next = 0;  // they come in the order in which they were read
  std::string graph = copied(bytes, [&](std::string& out, protozero::pbf_reader& field) {
    const uint32_t tag = field.tag();
    if (tag != fields::GraphProto::node && tag != fields::GraphProto::initializer) return false;
    const protozero::data_view part = field.get_view();
    protozero::pbf_writer writer(out);
    if (tag == fields::GraphProto::initializer && next < initializers.size()) {
      const Literal& literal = initializers[next++];
      writer.add_message(tag, rewritten(part, literal, names.contains(literal.name)));
    } else if (tag == fields::GraphProto::node && !makes_one_of(part, names)) {
      writer.add_message(tag, part.data(), part.size());
    }
    return true;
  });
  for (; next < initializers.size(); ++next)  // those that were nodes
    if (names.contains(initializers[next].name))
      protozero::pbf_writer(graph).add_message(fields::GraphProto::initializer,
                                               without_values(initializers[next]));
  return graph;
}

}  // namespace

Model with_constants_as_initializers(Model model) {
  std::erase_if(model.graph.nodes, [&](const Node& node) {
    const Literal* weight = weight_of(node);
    if (!weight) return false;
    model.graph.initializers.push_back(*weight);
    model.graph.initializers.back().name = node.outputs[0];
    return true;
  });
  return model;
}

std::string without_weights(const Model& model, const std::set<std::string>& names) {
  const protozero::data_view bytes(reinterpret_cast<const char*>(model.file.bytes.get()), model.file.size);
  return copied(bytes, [&](std::string& out, protozero::pbf_reader& field) {
    if (field.tag() != fields::ModelProto::graph) return false;
    protozero::pbf_writer(out).add_message(
        fields::ModelProto::graph, graph_without_weights(field.get_view(), model.graph.initializers, names));
    return true;
  });
}

}  // namespace burnish::onnx
