#include "onnx/weights.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "onnx/reader_testing.h"

namespace burnish::onnx {
namespace {

using namespace testing;

constexpr int f32 = 1, i64 = 7;

std::string floats(std::string name, std::vector<float> values) {
  return tensor(std::move(name), f32, {static_cast<int64_t>(values.size())}) + message([&](Writer& w) {
           w.add_packed_float(fields::TensorProto::float_data, values.begin(), values.end());
         });
}

std::string integers_elsewhere(std::string name, std::string_view file) {
  return tensor(std::move(name), i64, {2}) + message([&](Writer& w) {
           w.add_enum(fields::TensorProto::data_location, static_cast<int32_t>(location_external));
           w.add_message(fields::TensorProto::external_data, entry("location", file));
         });
}

std::string model_of(std::initializer_list<std::string> initializers) {
  return message([&](Writer& model) {
    model.add_int64(fields::ModelProto::ir_version, 8);
    model.add_string(fields::ModelProto::producer_name, "a test");
    model.add_message(fields::ModelProto::graph, message([&](Writer& graph) {
                        graph.add_string(fields::GraphProto::name, "g");
                        for (const std::string& i : initializers)
                          graph.add_message(fields::GraphProto::initializer, i);
                      }));
  });
}

std::vector<float> floats_of(const Tensor& t) { return {t.data<float>(), t.data<float>() + t.count()}; }

TEST(Weights, AreAskedForByName) {
  const auto whole = read(model_of({floats("a", {1, 2}), floats("b", {3, 4, 5}), floats("c", {6})}), "");
  ASSERT_TRUE(whole) << error_of(whole);
  const std::string without = without_weights(*whole, {"a", "b"});
  std::map<std::string, Shape> asked;
  const auto back =
      read_without_weights(std::as_bytes(std::span(without)), [&](const Literal& literal) -> Result<Tensor> {
        asked[literal.name] = literal.dims;
        const std::vector<float> values(static_cast<size_t>(element_count(literal.dims)), 9);
        return Tensor::of<float>(*literal.dtype, literal.dims, values);
      });
  ASSERT_TRUE(back) << error_of(back);
  EXPECT_EQ(asked, (std::map<std::string, Shape>{{"a", {2}}, {"b", {3}}}));
  EXPECT_EQ(floats_of(back->graph.initializers[1].payload), (std::vector<float>{9, 9, 9}));
  EXPECT_EQ(floats_of(back->graph.initializers[2].payload), (std::vector<float>{6}));
  EXPECT_EQ(back->producer_name, "a test");
  EXPECT_EQ(without_weights(*back, {"a", "b"}), without);
}

TEST(Weights, DoNotReachTheBytesThatAreLeft) {
  const auto one = read(model_of({floats("a", {1, 2})}), ""),
             other = read(model_of({floats("a", {3, 4})}), "");
  ASSERT_TRUE(one && other);
  EXPECT_EQ(without_weights(*one, {"a"}), without_weights(*other, {"a"}));
  EXPECT_NE(without_weights(*one, {}), without_weights(*other, {}));
}

std::string constant_node(std::string_view output, std::string_view value) {
  return message([&](Writer& node) {
    node.add_string(fields::NodeProto::output, output.data(), output.size());
    node.add_string(fields::NodeProto::op_type, "Constant");
    node.add_message(fields::NodeProto::attribute, message([&](Writer& attribute) {
                       attribute.add_string(fields::AttributeProto::name, "value");
                       attribute.add_enum(fields::AttributeProto::type, 4);
                       attribute.add_message(fields::AttributeProto::t, value.data(), value.size());
                     }));
  });
}

TEST(Weights, MayBeConstantNodes) {
  const std::string bytes =
      model_of_graph(bytes_field(fields::GraphProto::node, constant_node("w", floats("", {1, 2}))) +
                     bytes_field(fields::GraphProto::node, constant_node("number", floats("", {3}))) +
                     bytes_field(fields::GraphProto::node, constant_node("ones", floats("", {1, 1, 1}))) +
                     bytes_field(fields::GraphProto::initializer, floats("a", {4})));
  const auto written = read(bytes);
  ASSERT_TRUE(written) << error_of(written);
  const Model model = with_constants_as_initializers(*written);
  ASSERT_EQ(model.graph.nodes.size(), 2u);
  EXPECT_EQ(model.graph.nodes[0].outputs[0], "number");
  EXPECT_EQ(model.graph.nodes[1].outputs[0], "ones");
  ASSERT_EQ(model.graph.initializers.size(), 2u);
  EXPECT_EQ(model.graph.initializers[1].name, "w");
  const std::string without = without_weights(model, {"a", "w"});
  const auto back = read_without_weights(
      std::as_bytes(std::span(without)),
      [&](const Literal& literal) -> Result<Tensor> { return Tensor::zeros(*literal.dtype, literal.dims); });
  ASSERT_TRUE(back) << error_of(back);
  EXPECT_EQ(back->graph.nodes.size(), 2u);
  ASSERT_EQ(back->graph.initializers.size(), 2u);
  EXPECT_EQ(back->graph.initializers[1].name, "w");
  EXPECT_EQ(back->graph.initializers[1].dims, (Shape{2}));
  EXPECT_EQ(without_weights(*back, {"a", "w"}), without);
}

TEST(Weights, OthersAreBroughtInFromTheirFiles) {
  const auto folder = std::filesystem::path(::testing::TempDir());
  const int64_t values[] = {7, -8};
  std::ofstream(folder / "table.bin", std::ios::binary)
      .write(reinterpret_cast<const char*>(values), sizeof values);
  const auto whole =
      read(model_of({integers_elsewhere("table", "table.bin"), floats("a", {1})}), folder.string());
  ASSERT_TRUE(whole) << error_of(whole);
  const auto back = read(without_weights(*whole, {}), "");
  ASSERT_TRUE(back) << error_of(back);
  EXPECT_EQ(back->graph.initializers[0].payload.data<int64_t>()[1], -8);
}

}  // namespace
}  // namespace burnish::onnx
