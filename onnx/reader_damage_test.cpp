#include <gtest/gtest.h>

#include <random>

#include "onnx/reader_testing.h"

namespace burnish::onnx {
namespace {

using namespace testing;

/// A graph inside an attribute inside a node …, `depth` graphs in all.
std::string nested(int depth) {
  std::string graph;
  for (int i = 1; i < depth; ++i)
    graph = bytes_field(
        fields::GraphProto::node,
        bytes_field(fields::NodeProto::op_type, "If") +
            bytes_field(fields::NodeProto::attribute, bytes_field(fields::AttributeProto::g, graph)));
  return model_of_graph(graph);
}

/// A little of everything.
std::string sample() {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const std::string typed =
      tensor("w", 1, {2, 3}) + message([&](Writer& w) {
        w.add_packed_float(fields::TensorProto::float_data, values.begin(), values.end());
      });
  const std::string raw =
      tensor("b", 9, {5}) + bytes_field(fields::TensorProto::raw_data, std::string_view("\1\0\2\0\1", 5));
  const std::string node = message([&](Writer& w) {
    w.add_string(fields::NodeProto::input, "x");
    w.add_string(fields::NodeProto::output, "y");
    w.add_string(fields::NodeProto::op_type, "If");
    w.add_message(fields::NodeProto::attribute, message([&](Writer& a) {
                    a.add_string(fields::AttributeProto::name, "then_branch");
                    a.add_message(fields::AttributeProto::g,
                                  bytes_field(fields::GraphProto::initializer, raw));
                  }));
  });
  const std::string dim = message([](Writer& w) { w.add_int64(fields::Dimension::dim_value, 300); });
  const std::string type =
      bytes_field(fields::Tensor::shape, bytes_field(fields::TensorShapeProto::dim, dim));
  const std::string input =
      bytes_field(fields::ValueInfoProto::type, bytes_field(fields::TypeProto::tensor_type, type));
  return message([](Writer& w) { w.add_int64(fields::ModelProto::ir_version, 8); }) +
         model_of_graph(bytes_field(fields::GraphProto::node, node) +
                        bytes_field(fields::GraphProto::initializer, typed) +
                        bytes_field(fields::GraphProto::input, input)) +
         bytes_field(fields::ModelProto::functions, bytes_field(fields::FunctionProto::node, node));
}

/// Either a model or an error that says something.
bool ends_well(const std::string& bytes) {
  const Result<Model> model = read(bytes);
  return model || (!model.error().what().empty() && !model.error().remedy().empty());
}

TEST(ReaderDamage, TheSampleItselfIsFine) {
  const Result<Model> model = read(sample());
  ASSERT_TRUE(model) << error_of(model);
  EXPECT_EQ(model->graph.nodes.at(0).attributes.at(0).g->initializers.at(0).payload.byte_size(), 5u);
}

TEST(ReaderDamage, EveryTruncationFailsButBetweenTheModelsFields) {
  const std::string whole = sample();
  int models = 0;
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(ends_well(whole.substr(0, size))) << size;
    models += bool(read(whole.substr(0, size)));
  }
  // After the graph and before the function: the only place where what is left is a model.
  EXPECT_EQ(models, 1);
}

TEST(ReaderDamage, EveryBitFlipEndsWell) {
  const std::string whole = sample();
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_TRUE(ends_well(damaged)) << bit;
  }
}

TEST(ReaderDamage, RandomBytesEndWell) {
  std::mt19937 random(7);
  for (int run = 0; run < 2000; ++run) {
    std::string damaged = sample();
    for (int i = 0; i < 5; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
    EXPECT_TRUE(ends_well(damaged)) << run;
  }
}

TEST(ReaderDamage, ReadsGraphsTo64DeepAndNoDeeper) {
  EXPECT_TRUE(read(nested(64)));
  const std::string cause = error_of(read(nested(65)));
  EXPECT_EQ(cause.substr(0, cause.find(',')), "graphs are nested more than 64 deep");
  EXPECT_NE(cause.find("\nSimplify the model's control flow."), std::string::npos);
  // Deep enough to exhaust any stack, were each level followed.
  EXPECT_FALSE(read(nested(5000)));
}

/// The words of an error of that cause.
std::string damaged(std::string_view cause) {
  std::string text(cause);
  return text += damaged_remedy;
}

TEST(ReaderDamage, NamesTheFieldAndByte) {
  const std::string node =
      bytes_field(fields::GraphProto::node, bytes_field(fields::NodeProto::op_type, "Relu"));
  const std::string whole = model_of_graph(node);
  // Tag and length of graph, node and op_type are two bytes each.
  std::string longer = whole;
  longer[5] = 5;
  EXPECT_EQ(error_of(read(longer)),
            damaged("bytes are missing at byte 4, in field 4 (op_type) of NodeProto"));
  std::string other_type = whole;
  other_type[4] = 4 << 3;
  EXPECT_EQ(error_of(read(other_type)),
            damaged("a field does not have its type at byte 4, in field 4 (op_type) of NodeProto"));
  std::string group = whole;
  group[4] = 4 << 3 | 3;
  EXPECT_EQ(error_of(read(group)),
            damaged("the bytes are not protobuf at byte 4, where a field of NodeProto should begin"));
  EXPECT_EQ(error_of(read(whole.substr(0, 3))),
            damaged("bytes are missing at byte 0, in field 7 (graph) of ModelProto"));
}

TEST(ReaderDamage, SaysThatThereIsNoGraph) {
  EXPECT_EQ(error_of(read(bytes_field(fields::ModelProto::producer_name, "p"))),
            damaged("the model has no graph"));
  EXPECT_EQ(error_of(read("")), damaged("the model is empty"));
}

TEST(ReaderDamage, KeepsNamesInMessagesToOneLine) {
  EXPECT_EQ(in_quotes("a\nb\x1b[2J\x7f"), "'a?b?[2J?'");
  EXPECT_EQ(in_quotes(std::string(300, 'x')), "'" + std::string(200, 'x') + "…'");
}

}  // namespace
}  // namespace burnish::onnx
