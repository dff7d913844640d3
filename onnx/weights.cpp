#include "onnx/weights.h"

#include <algorithm>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "onnx/fields.h"

namespace burnish::onnx {

namespace {

namespace tensor = fields::TensorProto;

/// A message copied field by field. `change(out, message)` may write another field in place of the one that `message` stands at: then
/// it has read that one, and says so.
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

bool holds_values(uint32_t field) {
  constexpr uint32_t values[] = {tensor::float_data,    tensor::int32_data,   tensor::int64_data,
                                 tensor::raw_data,      tensor::double_data,  tensor::uint64_data,
                                 tensor::external_data, tensor::data_location};
  return std::find(std::begin(values), std::end(values), field) != std::end(values);
}

/// An initialiser without its values, or with them inside.
std::string rewritten(protozero::data_view bytes, const Literal& literal, bool without_values) {
  std::string out = copied(bytes, [](std::string&, protozero::pbf_reader& field) {
    if (!holds_values(field.tag())) return false;
    field.skip();
    return true;
  });
  protozero::pbf_writer writer(out);
  if (without_values) writer.add_enum(tensor::data_location, static_cast<int32_t>(location_external));
  else
    writer.add_bytes(tensor::raw_data, reinterpret_cast<const char*>(literal.payload.bytes()),
                     literal.payload.byte_size());
  return out;
}

bool is_external(protozero::data_view bytes) {
  protozero::pbf_reader message(bytes);
  while (message.next())
    if (message.tag() == tensor::data_location) return message.get_enum() == location_external;
    else message.skip();
  return false;
}

}  // namespace

std::string without_weights(const Model& model, const std::set<std::string>& names) {
  size_t next = 0;  // they come in the order in which they were read
  const auto initializer = [&](std::string& out, protozero::pbf_reader& field) {
    if (field.tag() != fields::GraphProto::initializer || next == model.graph.initializers.size())
      return false;
    const Literal& literal = model.graph.initializers[next++];
    const protozero::data_view bytes = field.get_view();
    const bool without_values = names.contains(literal.name);
    const bool changes = without_values || (literal.dtype && is_external(bytes));
    protozero::pbf_writer(out).add_message(
        fields::GraphProto::initializer,
        changes ? rewritten(bytes, literal, without_values) : std::string(bytes.data(), bytes.size()));
    return true;
  };
  const auto graph = [&](std::string& out, protozero::pbf_reader& field) {
    if (field.tag() != fields::ModelProto::graph) return false;
    protozero::pbf_writer(out).add_message(fields::ModelProto::graph, copied(field.get_view(), initializer));
    return true;
  };
  return copied({reinterpret_cast<const char*>(model.file.bytes.get()), model.file.size}, graph);
}

}  // namespace burnish::onnx
