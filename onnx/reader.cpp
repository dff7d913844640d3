#include "onnx/reader.h"

#include <cstring>
#include <filesystem>
#include <new>

#include "onnx/fields.h"
#include "onnx/reader_literal.h"
#include "onnx/reader_source.h"

namespace burnish::onnx {
namespace {

/// Graphs inside graphs are read by recursion; a hostile file must not exhaust the stack.
constexpr int deepest_graph = 64;

Result<Graph> read_graph(Source& source, Message message, int depth);

OpsetImport read_opset_import(Message message) {
  OpsetImport import;
  while (message.next()) {
    switch (message.field()) {
      case fields::OperatorSetIdProto::domain: import.domain = message.text(); break;
      case fields::OperatorSetIdProto::version: import.version = message.integer(); break;
      default: message.skip();
    }
  }
  return import;
}

Dimension read_dimension(Message message) {
  Dimension dimension;
  while (message.next()) {
    switch (message.field()) {
      case fields::Dimension::dim_value: {
        const int64_t value = message.integer();
        dimension = {};
        if (value >= 0) dimension.value = value;
        break;
      }
      case fields::Dimension::dim_param: {
        const std::string_view param = message.view();
        dimension = {};
        // What exporters write for "anything"; as names they would make extents equal that are not.
        if (param != "?" && param != "-1") dimension.param = param;
        break;
      }
      default: message.skip();
    }
  }
  return dimension;
}

void read_tensor_type(ValueInfo& info, Message message) {
  while (message.next()) {
    switch (message.field()) {
      case fields::Tensor::elem_type: info.elem_type = static_cast<int32_t>(message.integer()); break;
      case fields::Tensor::shape: {
        info.shape.emplace();
        Message shape = message.message("TensorShapeProto");
        while (shape.next()) {
          if (shape.field() == fields::TensorShapeProto::dim)
            info.shape->push_back(read_dimension(shape.message("Dimension")));
          else shape.skip();
        }
        break;
      }
      default: message.skip();
    }
  }
}

void read_type(ValueInfo& info, Message message) {
  const auto is = [&](TypeKind kind) {
    info.kind = kind;
    message.skip();
  };
  while (message.next()) {
    switch (message.field()) {
      case fields::TypeProto::tensor_type:
        info.kind = TypeKind::tensor;
        read_tensor_type(info, message.message("Tensor"));
        break;
      case fields::TypeProto::sparse_tensor_type: is(TypeKind::sparse_tensor); break;
      case fields::TypeProto::sequence_type: is(TypeKind::sequence); break;
      case fields::TypeProto::map_type: is(TypeKind::map); break;
      case fields::TypeProto::optional_type: is(TypeKind::optional); break;
      case fields::TypeProto::opaque_type: is(TypeKind::opaque); break;
      default: message.skip();
    }
  }
}

ValueInfo read_value_info(Message message) {
  ValueInfo info;
  while (message.next()) {
    switch (message.field()) {
      case fields::ValueInfoProto::name: info.name = message.text(); break;
      case fields::ValueInfoProto::type: read_type(info, message.message("TypeProto")); break;
      default: message.skip();
    }
  }
  return info;
}

/// Only who it is: the name is that of its values.
std::string read_sparse_name(Message message) {
  std::string name;
  while (message.next()) {
    if (message.field() != fields::SparseTensorProto::values) {
      message.skip();
      continue;
    }
    Message values = message.message("TensorProto");
    while (values.next()) {
      if (values.field() == fields::TensorProto::name) name = values.text();
      else values.skip();
    }
  }
  return name;
}

Result<AttributeType> attribute_type(int64_t number) {
  if (number < 0 || number > static_cast<int64_t>(AttributeType::type_protos))
    return damaged("type " + std::to_string(number) + " is none that ONNX has");
  return static_cast<AttributeType>(number);
}

/// Reads one field of an attribute. Returns the type that an attribute holding this field has: files of early
/// exporters leave the type out.
Result<AttributeType> read_attribute_value(Source& source, Attribute& attribute, Message& message,
                                           int depth) {
  switch (message.field()) {
    case fields::AttributeProto::f: attribute.f = message.real(); return AttributeType::real;
    case fields::AttributeProto::i: attribute.i = message.integer(); return AttributeType::integer;
    case fields::AttributeProto::s: attribute.s = message.text(); return AttributeType::text;
    case fields::AttributeProto::t:
      attribute.t = std::make_shared<Literal>(TRY(read_literal(source, message.message("TensorProto"))));
      return AttributeType::tensor;
    case fields::AttributeProto::g:
      attribute.g =
          std::make_shared<Graph>(TRY(read_graph(source, message.message("GraphProto"), depth + 1)));
      return AttributeType::graph;
    case fields::AttributeProto::floats:
      message.reals([&](float value) { attribute.floats.push_back(value); });
      return AttributeType::reals;
    case fields::AttributeProto::ints:
      message.integers([&](int64_t value) { attribute.ints.push_back(value); });
      return AttributeType::integers;
    case fields::AttributeProto::strings:
      attribute.strings.push_back(message.text());
      return AttributeType::texts;
    case fields::AttributeProto::tensors:
      attribute.tensors.push_back(TRY(read_literal(source, message.message("TensorProto"))));
      return AttributeType::tensors;
    case fields::AttributeProto::graphs:
      attribute.graphs.push_back(TRY(read_graph(source, message.message("GraphProto"), depth + 1)));
      return AttributeType::graphs;
    case fields::AttributeProto::sparse_tensor: message.skip(); return AttributeType::sparse_tensor;
    case fields::AttributeProto::sparse_tensors: message.skip(); return AttributeType::sparse_tensors;
    case fields::AttributeProto::tp: message.skip(); return AttributeType::type_proto;
    case fields::AttributeProto::type_protos: message.skip(); return AttributeType::type_protos;
    default: message.skip(); return AttributeType::undefined;
  }
}

Result<> read_attribute(Source& source, Attribute& attribute, Message message, int depth) {
  AttributeType held = AttributeType::undefined;
  while (message.next()) {
    switch (message.field()) {
      case fields::AttributeProto::name: attribute.name = message.text(); break;
      case fields::AttributeProto::ref_attr_name: attribute.ref_attr_name = message.text(); break;
      case fields::AttributeProto::type: attribute.type = TRY(attribute_type(message.integer())); break;
      default: {
        const AttributeType type = TRY(read_attribute_value(source, attribute, message, depth));
        if (type != AttributeType::undefined) held = type;
      }
    }
  }
  if (attribute.type == AttributeType::undefined) attribute.type = held;
  const bool empty = (attribute.type == AttributeType::tensor && !attribute.t) ||
                     (attribute.type == AttributeType::graph && !attribute.g);
  if (empty && attribute.ref_attr_name.empty())
    return damaged("it should hold a " + std::string(attribute_type_name(attribute.type)) +
                   " and holds none");
  return {};
}

Result<> append_attribute(Source& source, std::vector<Attribute>& attributes, Message message, int depth) {
  Attribute& attribute = attributes.emplace_back();
  Result<> done = read_attribute(source, attribute, message, depth);
  if (!done) return std::move(done).error().during("reading attribute " + in_quotes(attribute.name));
  return {};
}

Result<> read_node_fields(Source& source, Node& node, Message message, int depth) {
  while (message.next()) {
    switch (message.field()) {
      case fields::NodeProto::input: node.inputs.push_back(message.text()); break;
      case fields::NodeProto::output: node.outputs.push_back(message.text()); break;
      case fields::NodeProto::name: node.name = message.text(); break;
      case fields::NodeProto::op_type: node.op_type = message.text(); break;
      case fields::NodeProto::domain: node.domain = message.text(); break;
      case fields::NodeProto::overload: node.overload = message.text(); break;
      case fields::NodeProto::attribute:
        TRY(append_attribute(source, node.attributes, message.message("AttributeProto"), depth));
        break;
      default: message.skip();
    }
  }
  return {};
}

Result<Node> read_node(Source& source, Message message, int depth) {
  Node node;
  Result<> done = read_node_fields(source, node, message, depth);
  if (!done) return std::move(done).error().during("reading " + node.describe());
  return node;
}

Result<Graph> read_graph(Source& source, Message message, int depth) {
  if (depth > deepest_graph)
    return Error(Code::invalid_model,
                 "graphs are nested more than " + std::to_string(deepest_graph) + " deep")
        .remedy("Simplify the model's control flow.");
  Graph graph;
  while (message.next()) {
    switch (message.field()) {
      case fields::GraphProto::node:
        graph.nodes.push_back(TRY(read_node(source, message.message("NodeProto"), depth)));
        break;
      case fields::GraphProto::name: graph.name = message.text(); break;
      case fields::GraphProto::initializer:
        graph.initializers.push_back(TRY(read_literal(source, message.message("TensorProto"))));
        break;
      case fields::GraphProto::sparse_initializer:
        graph.sparse_initializers.push_back(read_sparse_name(message.message("SparseTensorProto")));
        break;
      case fields::GraphProto::input:
        graph.inputs.push_back(read_value_info(message.message("ValueInfoProto")));
        break;
      case fields::GraphProto::output:
        graph.outputs.push_back(read_value_info(message.message("ValueInfoProto")));
        break;
      case fields::GraphProto::value_info:
        graph.value_infos.push_back(read_value_info(message.message("ValueInfoProto")));
        break;
      default: message.skip();
    }
  }
  return graph;
}

Result<> read_function_fields(Source& source, Function& function, Message message) {
  while (message.next()) {
    switch (message.field()) {
      case fields::FunctionProto::name: function.name = message.text(); break;
      case fields::FunctionProto::domain: function.domain = message.text(); break;
      case fields::FunctionProto::overload: function.overload = message.text(); break;
      case fields::FunctionProto::input: function.inputs.push_back(message.text()); break;
      case fields::FunctionProto::output: function.outputs.push_back(message.text()); break;
      case fields::FunctionProto::attribute: function.attributes.push_back(message.text()); break;
      case fields::FunctionProto::attribute_proto:
        TRY(append_attribute(source, function.attribute_protos, message.message("AttributeProto"), 1));
        break;
      case fields::FunctionProto::node:
        function.nodes.push_back(TRY(read_node(source, message.message("NodeProto"), 1)));
        break;
      case fields::FunctionProto::opset_import:
        function.opset_imports.push_back(read_opset_import(message.message("OperatorSetIdProto")));
        break;
      default: message.skip();
    }
  }
  return {};
}

Result<Function> read_function(Source& source, Message message) {
  Function function;
  Result<> done = read_function_fields(source, function, message);
  if (!done) return std::move(done).error().during("reading function " + in_quotes(function.name));
  return function;
}

Result<Model> read_model(Source& source, Message message) {
  Model model;
  bool has_graph = false;
  while (message.next()) {
    switch (message.field()) {
      case fields::ModelProto::ir_version: model.ir_version = message.integer(); break;
      case fields::ModelProto::producer_name: model.producer_name = message.text(); break;
      case fields::ModelProto::producer_version: model.producer_version = message.text(); break;
      case fields::ModelProto::graph:
        model.graph = TRY(read_graph(source, message.message("GraphProto"), 1));
        has_graph = true;
        break;
      case fields::ModelProto::opset_import:
        model.opset_imports.push_back(read_opset_import(message.message("OperatorSetIdProto")));
        break;
      case fields::ModelProto::metadata_props:
        model.metadata_props.push_back(read_entry(message.message("StringStringEntryProto")));
        break;
      case fields::ModelProto::functions:
        model.functions.push_back(TRY(read_function(source, message.message("FunctionProto"))));
        break;
      default: message.skip();
    }
  }
  if (!has_graph) return damaged("the model has no graph");
  model.file = source.file;
  return model;
}

/// "field 9 (raw_data) of TensorProto at byte 1234"
std::string describe(const Position& position) {
  std::string text = "at byte " + std::to_string(position.at - position.begin) + ", ";
  if (position.field == 0)
    return text + "where a field of " + std::string(position.message) + " should begin";
  text += "in field " + std::to_string(position.field);
  for (const FieldRow& row : field_table)
    if (row.message == position.message && row.number == position.field)
      text += " (" + std::string(row.name) + ")";
  return text + " of " + std::string(position.message);
}

const char* reason(const std::exception& error) {
  if (dynamic_cast<const protozero::end_of_buffer_exception*>(&error)) return "bytes are missing";
  if (dynamic_cast<const WrongWireType*>(&error)) return "a field does not have its type";
  return "the bytes are not protobuf";
}

/// The border: what protozero throws becomes a value here.
Result<Model> read(Source& source) {
  const char* begin = reinterpret_cast<const char*>(source.file.bytes.get());
  if (source.file.size == 0) return damaged("the model is empty");
  source.position = {begin, begin};
  try {
    return read_model(source, Message(source.position, "ModelProto", {begin, source.file.size}));
  } catch (const std::bad_alloc&) {
    return Error(Code::out_of_memory, "the model does not fit into memory").remedy("Free some memory.");
  } catch (const std::exception& error) {
    return damaged(std::string(reason(error)) + " " + describe(source.position));
  }
}

}  // namespace

Result<Model> read_file(const std::string& path) {
  Source source;
  source.file = TRY(map_file(path));
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  source.folder = folder.empty() ? "." : folder.string();
  return read(source).during("reading " + in_quotes(path));
}

static Source copied(std::span<const std::byte> bytes) {
  const std::shared_ptr<std::byte[]> block(new std::byte[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), block.get());
  Source source;
  source.file = {{block, block.get()}, bytes.size()};
  return source;
}

Result<Model> read_bytes(std::span<const std::byte> bytes, const std::string& folder) {
  Source source = copied(bytes);
  source.folder = folder;
  return read(source);
}

Result<Model> read_without_weights(std::span<const std::byte> bytes, const Values& values) {
  Source source = copied(bytes);
  source.elsewhere = values;
  return read(source);
}

}  // namespace burnish::onnx
