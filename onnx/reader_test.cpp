#include "onnx/reader.h"

#include <gtest/gtest.h>

#include <fstream>

#include "onnx/reader_testing.h"

namespace burnish::onnx {
namespace {

using namespace testing;

std::string dimension_value(int64_t value) {
  return message([&](Writer& w) { w.add_int64(fields::Dimension::dim_value, value); });
}
std::string dimension_param(std::string_view param) {
  return bytes_field(fields::Dimension::dim_param, param);
}

std::string tensor_value(std::string_view name, int32_t type, const std::vector<std::string>* dims) {
  std::string tensor_type = message([&](Writer& w) { w.add_int32(fields::Tensor::elem_type, type); });
  if (dims) {
    std::string shape;
    for (const std::string& dim : *dims) shape += bytes_field(fields::TensorShapeProto::dim, dim);
    tensor_type += bytes_field(fields::Tensor::shape, shape);
  }
  return bytes_field(fields::ValueInfoProto::name, name) +
         bytes_field(fields::ValueInfoProto::type, bytes_field(fields::TypeProto::tensor_type, tensor_type));
}

/// The one node of a graph that holds nothing else.
Result<Node> read_node(const std::string& node) {
  Model model = TRY(read(model_of_graph(bytes_field(fields::GraphProto::node, node))));
  return model.graph.nodes.at(0);
}
Result<Attribute> read_attribute(const std::string& attribute) {
  Node node = TRY(read_node(bytes_field(fields::NodeProto::attribute, attribute)));
  return node.attributes.at(0);
}

TEST(Reader, ReadsAModelsHeader) {
  const std::string bytes = message([](Writer& w) {
    w.add_int64(fields::ModelProto::ir_version, 8);
    w.add_string(fields::ModelProto::producer_name, "maker");
    w.add_string(fields::ModelProto::producer_version, "1.2");
    w.add_message(fields::ModelProto::opset_import,
                  message([](Writer& i) { i.add_int64(fields::OperatorSetIdProto::version, 17); }));
    w.add_message(fields::ModelProto::opset_import, message([](Writer& i) {
                    i.add_string(fields::OperatorSetIdProto::domain, "com.maker");
                    i.add_int64(fields::OperatorSetIdProto::version, 3);
                  }));
    w.add_message(fields::ModelProto::graph, bytes_field(fields::GraphProto::name, "main"));
    w.add_message(fields::ModelProto::metadata_props, entry("author", "nobody"));
    w.add_string(6, "a doc string, which nobody needs");
  });
  const Result<Model> model = read(bytes);
  ASSERT_TRUE(model) << error_of(model);
  EXPECT_EQ(model->ir_version, 8);
  EXPECT_EQ(model->producer_name, "maker");
  EXPECT_EQ(model->producer_version, "1.2");
  ASSERT_EQ(model->opset_imports.size(), 2u);
  EXPECT_EQ(model->opset_imports[0].domain, "");
  EXPECT_EQ(model->opset_imports[0].version, 17);
  EXPECT_EQ(model->opset_imports[1].domain, "com.maker");
  EXPECT_EQ(model->opset_imports[1].version, 3);
  EXPECT_EQ(model->graph.name, "main");
  ASSERT_EQ(model->metadata_props.size(), 1u);
  EXPECT_EQ(model->metadata_props[0], std::pair(std::string("author"), std::string("nobody")));
}

TEST(Reader, ReadsANode) {
  const Result<Node> node = read_node(message([](Writer& w) {
    w.add_string(fields::NodeProto::input, "x");
    w.add_string(fields::NodeProto::input, "");
    w.add_string(fields::NodeProto::output, "y");
    w.add_string(fields::NodeProto::name, "clip");
    w.add_string(fields::NodeProto::op_type, "Clip");
    w.add_string(fields::NodeProto::domain, "d");
    w.add_string(fields::NodeProto::overload, "o");
    w.add_message(fields::NodeProto::attribute, bytes_field(fields::AttributeProto::name, "a"));
  }));
  ASSERT_TRUE(node) << error_of(node);
  EXPECT_EQ(node->inputs, (std::vector<std::string>{"x", ""}));
  EXPECT_EQ(node->outputs, (std::vector<std::string>{"y"}));
  EXPECT_EQ(node->name, "clip");
  EXPECT_EQ(node->op_type, "Clip");
  EXPECT_EQ(node->domain, "d");
  EXPECT_EQ(node->overload, "o");
  EXPECT_EQ(node->describe(), "'clip' (Clip)");
  ASSERT_NE(node->attribute("a"), nullptr);
  EXPECT_EQ(node->attribute("a")->type, AttributeType::undefined);
  EXPECT_EQ(node->attribute("b"), nullptr);
}

TEST(Reader, ReadsEveryKindOfAttribute) {
  const std::vector<float> floats = {1.5f, -2.0f};
  const std::vector<int64_t> ints = {3, -4};
  const std::string literal = tensor("t", 1, {0});
  const std::string graph = bytes_field(fields::GraphProto::name, "inner");
  const auto with = [](AttributeType type, auto fill) {
    return read_attribute(message([&](Writer& w) {
      w.add_string(fields::AttributeProto::name, "a");
      w.add_enum(fields::AttributeProto::type, static_cast<int32_t>(type));
      fill(w);
    }));
  };
  namespace a = fields::AttributeProto;
  EXPECT_EQ(with(AttributeType::real, [](Writer& w) { w.add_float(a::f, 2.5f); })->f, 2.5f);
  EXPECT_EQ(with(AttributeType::integer, [](Writer& w) { w.add_int64(a::i, -7); })->i, -7);
  EXPECT_EQ(with(AttributeType::text, [](Writer& w) { w.add_bytes(a::s, "same"); })->s, "same");
  EXPECT_EQ(with(AttributeType::tensor, [&](Writer& w) { w.add_message(a::t, literal); })->t->name, "t");
  EXPECT_EQ(with(AttributeType::graph, [&](Writer& w) { w.add_message(a::g, graph); })->g->name, "inner");
  EXPECT_EQ(
      with(AttributeType::tensors, [&](Writer& w) { w.add_message(a::tensors, literal); })->tensors[0].name,
      "t");
  EXPECT_EQ(with(AttributeType::graphs, [&](Writer& w) { w.add_message(a::graphs, graph); })->graphs[0].name,
            "inner");
  EXPECT_EQ(with(AttributeType::texts, [](Writer& w) { w.add_bytes(a::strings, "s"); })->strings[0], "s");
  const auto packed_floats = [&](Writer& w) { w.add_packed_float(a::floats, floats.begin(), floats.end()); };
  const auto loose_floats = [&](Writer& w) {
    for (float f : floats) w.add_float(a::floats, f);
  };
  const auto packed_ints = [&](Writer& w) { w.add_packed_int64(a::ints, ints.begin(), ints.end()); };
  const auto loose_ints = [&](Writer& w) {
    for (int64_t i : ints) w.add_int64(a::ints, i);
  };
  EXPECT_EQ(with(AttributeType::reals, packed_floats)->floats, floats);
  EXPECT_EQ(with(AttributeType::reals, loose_floats)->floats, floats);
  EXPECT_EQ(with(AttributeType::integers, packed_ints)->ints, ints);
  EXPECT_EQ(with(AttributeType::integers, loose_ints)->ints, ints);
  EXPECT_EQ(
      with(AttributeType::sparse_tensor, [](Writer& w) { w.add_message(a::sparse_tensor, std::string()); })
          ->type,
      AttributeType::sparse_tensor);
}

TEST(Reader, TellsAnAttributesTypeByItsValueWhenTheFileDoesNot) {
  namespace a = fields::AttributeProto;
  EXPECT_EQ(read_attribute(message([](Writer& w) { w.add_float(a::f, 1); }))->type, AttributeType::real);
  EXPECT_EQ(read_attribute(message([](Writer& w) { w.add_int64(a::ints, 1); }))->type,
            AttributeType::integers);
  EXPECT_EQ(read_attribute(bytes_field(a::g, ""))->type, AttributeType::graph);
  EXPECT_EQ(read_attribute(bytes_field(a::tp, ""))->type, AttributeType::type_proto);
}

TEST(Reader, ReferencesToAFunctionsAttributesNeedNoValue) {
  const Result<Attribute> attribute = read_attribute(message([](Writer& w) {
    w.add_enum(fields::AttributeProto::type, 4);
    w.add_string(fields::AttributeProto::ref_attr_name, "outer");
  }));
  ASSERT_TRUE(attribute) << error_of(attribute);
  EXPECT_EQ(attribute->type, AttributeType::tensor);
  EXPECT_EQ(attribute->ref_attr_name, "outer");
}

TEST(Reader, SaysWhichAttributeOfWhichNodeIsWrong) {
  const auto in_node = [](std::string attribute) {
    return read_node(message([&](Writer& w) {
      w.add_string(fields::NodeProto::name, "c");
      w.add_string(fields::NodeProto::op_type, "Constant");
      w.add_message(fields::NodeProto::attribute,
                    bytes_field(fields::AttributeProto::name, "value") + attribute);
    }));
  };
  const auto type = [](int number) {
    return message([&](Writer& w) { w.add_enum(fields::AttributeProto::type, number); });
  };
  EXPECT_EQ(error_of(in_node(type(99))),
            std::string("type 99 is none that ONNX has, while reading attribute 'value', while "
                        "reading 'c' (Constant)") +
                damaged_remedy);
  EXPECT_EQ(error_of(in_node(type(4))),
            std::string("it should hold a TENSOR and holds none, while reading attribute 'value', "
                        "while reading 'c' (Constant)") +
                damaged_remedy);
}

TEST(Reader, ReadsValuesAndTheirDimensions) {
  const std::vector<std::string> dims = {dimension_value(3),
                                         dimension_value(0),
                                         dimension_value(-1),
                                         dimension_param("batch"),
                                         dimension_param(""),
                                         dimension_param("?"),
                                         "",
                                         dimension_param("-1"),
                                         dimension_value(2) + dimension_param("last")};
  const std::vector<std::string> scalar;
  const Result<Model> model =
      read(model_of_graph(bytes_field(fields::GraphProto::input, tensor_value("x", 1, &dims)) +
                          bytes_field(fields::GraphProto::output, tensor_value("y", 7, &scalar)) +
                          bytes_field(fields::GraphProto::value_info, tensor_value("z", 10, nullptr))));
  ASSERT_TRUE(model) << error_of(model);
  const ValueInfo& x = model->graph.inputs.at(0);
  EXPECT_EQ(x.name, "x");
  EXPECT_EQ(x.kind, TypeKind::tensor);
  EXPECT_EQ(x.elem_type, 1);
  std::string text;
  for (const Dimension& dim : x.shape.value())
    text += (dim.value ? std::to_string(*dim.value) : "<" + dim.param + ">") + " ";
  EXPECT_EQ(text, "3 0 <> <batch> <> <> <> <> <last> ");
  EXPECT_TRUE(model->graph.outputs.at(0).shape.value().empty());
  EXPECT_FALSE(model->graph.value_infos.at(0).shape.has_value());
}

TEST(Reader, TellsOtherTypesByTheirKind) {
  const auto kind = [](uint32_t field) {
    const std::string info = bytes_field(fields::ValueInfoProto::type, bytes_field(field, ""));
    return read(model_of_graph(bytes_field(fields::GraphProto::input, info)))->graph.inputs.at(0).kind;
  };
  EXPECT_EQ(kind(fields::TypeProto::tensor_type), TypeKind::tensor);
  EXPECT_EQ(kind(fields::TypeProto::sparse_tensor_type), TypeKind::sparse_tensor);
  EXPECT_EQ(kind(fields::TypeProto::sequence_type), TypeKind::sequence);
  EXPECT_EQ(kind(fields::TypeProto::map_type), TypeKind::map);
  EXPECT_EQ(kind(fields::TypeProto::optional_type), TypeKind::optional);
  EXPECT_EQ(kind(fields::TypeProto::opaque_type), TypeKind::opaque);
  EXPECT_EQ(kind(100), TypeKind::absent);
}

TEST(Reader, ReadsLocalFunctions) {
  const std::string bytes =
      model_of_graph("") + bytes_field(fields::ModelProto::functions, message([](Writer& w) {
                                         w.add_string(fields::FunctionProto::name, "F");
                                         w.add_string(fields::FunctionProto::domain, "local");
                                         w.add_string(fields::FunctionProto::overload, "2");
                                         w.add_string(fields::FunctionProto::input, "x");
                                         w.add_string(fields::FunctionProto::output, "y");
                                         w.add_string(fields::FunctionProto::attribute, "alpha");
                                         w.add_message(fields::FunctionProto::attribute_proto,
                                                       bytes_field(fields::AttributeProto::name, "beta"));
                                         w.add_message(fields::FunctionProto::node,
                                                       bytes_field(fields::NodeProto::op_type, "Relu"));
                                         w.add_message(fields::FunctionProto::opset_import, std::string());
                                       }));
  const Result<Model> model = read(bytes);
  ASSERT_TRUE(model) << error_of(model);
  const Function& function = model->functions.at(0);
  EXPECT_EQ(function.name + function.domain + function.overload, "Flocal2");
  EXPECT_EQ(function.inputs, (std::vector<std::string>{"x"}));
  EXPECT_EQ(function.outputs, (std::vector<std::string>{"y"}));
  EXPECT_EQ(function.attributes, (std::vector<std::string>{"alpha"}));
  EXPECT_EQ(function.attribute_protos.at(0).name, "beta");
  EXPECT_EQ(function.nodes.at(0).op_type, "Relu");
  EXPECT_EQ(function.opset_imports.size(), 1u);
}

TEST(Reader, NamesSparseInitializers) {
  const std::string sparse = bytes_field(fields::SparseTensorProto::values, tensor("s", 1, {2}));
  const Result<Model> model =
      read(model_of_graph(bytes_field(fields::GraphProto::sparse_initializer, sparse)));
  ASSERT_TRUE(model) << error_of(model);
  EXPECT_EQ(model->graph.sparse_initializers, (std::vector<std::string>{"s"}));
}

TEST(Reader, ReadsAFile) {
  const std::string path = ::testing::TempDir() + "reader_test.onnx";
  std::ofstream(path, std::ios::binary)
      << model_of_graph(bytes_field(fields::GraphProto::name, "from a file"));
  const Result<Model> model = read_file(path);
  ASSERT_TRUE(model) << error_of(model);
  EXPECT_EQ(model->graph.name, "from a file");
}

TEST(Reader, SaysWhyAFileCannotBeRead) {
  const std::string folder = ::testing::TempDir();
  EXPECT_EQ(error_of(read_file("nowhere/m.onnx")),
            "cannot open 'nowhere/m.onnx': No such file or directory\nCheck the path.");
  EXPECT_EQ(error_of(read_file(folder)),
            "'" + folder + "' is not a regular file\nName a file, not a folder or pipe.");
  const std::string path = folder + "empty.onnx";
  std::ofstream{path};
  EXPECT_EQ(error_of(read_file(path)), "the model is empty, while reading '" + path + "'" + damaged_remedy);
}

}  // namespace
}  // namespace burnish::onnx
