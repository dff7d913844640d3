#include "onnx/import.h"

#include <gtest/gtest.h>

#include "ir/op.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace burnish::onnx {
namespace {

constexpr int32_t float_type = 1, int64_type = 7, bool_type = 9, string_type = 8;

Dimension extent(int64_t value) { return {.value = value, .param = ""}; }
Dimension named(std::string name) { return {.value = {}, .param = std::move(name)}; }

ValueInfo tensor_info(std::string name, std::vector<Dimension> shape, int32_t elem_type = float_type) {
  return {
      .name = std::move(name), .kind = TypeKind::tensor, .elem_type = elem_type, .shape = std::move(shape)};
}

Node node(std::string name, std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs,
          std::vector<Attribute> attributes = {}) {
  return {.name = std::move(name),
          .op_type = std::move(op),
          .inputs = std::move(inputs),
          .outputs = std::move(outputs),
          .attributes = std::move(attributes)};
}

Attribute integer(std::string name, int64_t value) {
  Attribute a;
  a.name = std::move(name);
  a.type = AttributeType::integer;
  a.i = value;
  return a;
}
Attribute real(std::string name, float value) {
  Attribute a;
  a.name = std::move(name);
  a.type = AttributeType::real;
  a.f = value;
  return a;
}
Attribute reference(std::string name, AttributeType type, std::string to) {
  Attribute a;
  a.name = std::move(name);
  a.type = type;
  a.ref_attr_name = std::move(to);
  return a;
}
Attribute body(std::string name, std::vector<Node> nodes, std::string output) {
  Graph g;
  g.name = name;
  g.nodes = std::move(nodes);
  g.outputs = {{.name = std::move(output)}};
  Attribute a;
  a.name = std::move(name);
  a.type = AttributeType::graph;
  a.g = std::make_shared<const Graph>(std::move(g));
  return a;
}

Literal condition(std::string name, bool value) {
  const bool values[] = {value};
  return {.name = std::move(name),
          .data_type = bool_type,
          .dtype = DType::boolean,
          .payload = Tensor::of<bool>(DType::boolean, {}, values)};
}

/// y = Relu(x), x of 2 x n floats.
Model relu() {
  Model m;
  m.ir_version = 8;
  m.opset_imports = {{.domain = "", .version = 17}};
  m.graph.name = "g";
  m.graph.inputs = {tensor_info("x", {extent(2), named("n")})};
  m.graph.nodes = {node("r", "Relu", {"x"}, {"y"})};
  m.graph.outputs = {{.name = "y"}};
  return m;
}

Result<burnish::Graph> imported(const Model& model, const ImportOptions& options = {}) {
  ThreadPool pool(1);
  return import_model(model, options, pool);
}

/// Cause and remedy, or "no error".
std::string error_of(const Model& model, const ImportOptions& options = {}) {
  const auto graph = imported(model, options);
  return graph ? "no error" : graph.error().cause() + "\n" + graph.error().remedy();
}

std::string text_of(const Model& model, const ImportOptions& options = {}) {
  const auto graph = imported(model, options);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause());
  if (!graph) return {};
  const auto sound = verify(*graph);
  EXPECT_TRUE(sound) << (sound ? "" : sound.error().cause());
  return print(*graph);
}

// ---------------------------------------------------------------------------------------- what is refused

TEST(ImportErrors, Operators) {
  Model m = relu();
  m.graph.nodes[0].op_type = "Frobnicate";
  EXPECT_EQ(error_of(m),
            "node 'r' (Frobnicate): operator 'Frobnicate' of domain 'ai.onnx' is not supported\n"
            "load a plugin that has it, replace it before exporting, or give the model a local function that "
            "spells it out");
  m = relu();
  m.graph.nodes[0].domain = "com.example";
  EXPECT_EQ(error_of(m),
            "node 'r' (Relu): operator 'Relu' of domain 'com.example' is not supported\n"
            "load a plugin that has it, replace it before exporting, or give the model a local function that "
            "spells it out");
  m = relu();
  m.opset_imports = {{.domain = "com.example", .version = 1}};
  EXPECT_EQ(error_of(m), "node 'r' (Relu): the model imports no opset of its domain\n");
}

TEST(ImportErrors, Names) {
  Model m = relu();
  m.graph.nodes[0].inputs = {"z"};
  EXPECT_EQ(error_of(m),
            "node 'r' (Relu) reads 'z', which nothing writes\ncheck the model with onnx.checker");
  m = relu();
  m.graph.nodes[0].name = "";
  m.graph.nodes[0].inputs = {"z"};
  EXPECT_EQ(error_of(m),
            "node Relu that makes 'y' reads 'z', which nothing writes\ncheck the model with onnx.checker");
  m = relu();
  m.graph.outputs = {{.name = "z"}};
  EXPECT_EQ(error_of(m),
            "the list of outputs reads 'z', which nothing writes\ncheck the model with onnx.checker");
  m = relu();
  m.graph.outputs.push_back({.name = "y"});
  EXPECT_EQ(error_of(m), "output 'y' is listed twice\n");
  m = relu();
  m.graph.outputs.clear();
  EXPECT_EQ(error_of(m), "the model has no outputs\n");
  m = relu();
  m.graph.nodes.push_back(node("again", "Neg", {"x"}, {"y"}));
  EXPECT_EQ(error_of(m),
            "node 'again' (Neg) writes 'y', which is written already\n"
            "every name may be written once; check the model with onnx.checker");
  m = relu();
  m.graph.inputs.push_back(m.graph.inputs[0]);
  EXPECT_EQ(error_of(m),
            "the list of inputs writes 'x', which is written already\n"
            "every name may be written once; check the model with onnx.checker");
  m = relu();
  m.graph.initializers = {condition("c", true), condition("c", false)};
  EXPECT_EQ(error_of(m), "initializer 'c' is stored twice\n");
}

TEST(ImportErrors, Order) {
  Model m = relu();  // a cycle, and a graph that is merely unsorted
  m.graph.nodes = {node("p", "Add", {"x", "b"}, {"a"}), node("q", "Neg", {"a"}, {"b"}),
                   node("r", "Relu", {"b"}, {"y"})};
  EXPECT_EQ(error_of(m),
            "node 'p' (Add) reads 'b' before node 'q' (Neg) has written it\n"
            "the graph has a cycle or is not in topological order; check the model with onnx.checker");
  m.graph.nodes = {node("r", "Relu", {"a"}, {"y"}), node("q", "Neg", {"x"}, {"a"})};
  EXPECT_EQ(error_of(m),
            "node 'r' (Relu) reads 'a' before node 'q' (Neg) has written it\n"
            "the graph has a cycle or is not in topological order; check the model with onnx.checker");
}

TEST(ImportErrors, Attributes) {
  Model m = relu();
  m.graph.nodes = {node("s", "Softmax", {"x"}, {"y"}, {real("axis", 1)})};
  EXPECT_EQ(error_of(m), "node 's' (Softmax): attribute 'axis' must be of type INT, it is FLOAT\n");
  m.graph.nodes = {node("s", "Elu", {"x"}, {"y"}, {integer("beta", 1)})};
  EXPECT_EQ(error_of(m), "node 's' (Elu): attribute 'beta' is not supported in opset 17\n");
}

TEST(ImportErrors, Versions) {
  Model m = relu();
  m.opset_imports[0].version = 6;
  EXPECT_EQ(
      error_of(m),
      "the model imports opset 6; Burnish reads opsets 7 to 27\nconvert it with onnx.version_converter");
  m.opset_imports[0].version = 28;
  EXPECT_EQ(
      error_of(m),
      "the model imports opset 28; Burnish reads opsets 7 to 27\nconvert it with onnx.version_converter");
  for (int64_t good : {7, 27}) {
    m.opset_imports[0].version = good;
    EXPECT_EQ(error_of(m), "no error");
  }
  m.ir_version = 2;
  EXPECT_EQ(error_of(m),
            "the model has IR version 2; Burnish reads 3 and newer\nconvert it with onnx.version_converter");
}

TEST(ImportErrors, Inputs) {
  Model m = relu();
  m.graph.inputs[0].kind = TypeKind::sequence;
  EXPECT_EQ(error_of(m),
            "input 'x' is of kind sequence; Burnish takes tensors\nexport the model with tensor inputs");
  m = relu();
  m.graph.inputs[0].elem_type = string_type;
  EXPECT_EQ(error_of(m), "input 'x' has elements of type STRING, which Burnish does not compute with\n");
  m = relu();
  m.graph.inputs[0].shape.reset();
  EXPECT_EQ(error_of(m),
            "input 'x' has no shape in the model, not even a rank\ngive it with --shapes x:1x3x224x224");
  EXPECT_EQ(error_of(m, {.shapes = {{"x", {2, -1}}}}), "no error");
}

TEST(ImportErrors, Shapes) {
  Model m = relu();
  m.graph.inputs.push_back(tensor_info("z", {named("n")}));
  EXPECT_EQ(error_of(m, {.shapes = {{"w", {2, 3}}}}),
            "--shapes w: the model has no input 'w'\nits inputs are 'x', 'z'");
  EXPECT_EQ(error_of(m, {.shapes = {{"x", {2}}}}),
            "--shapes x: 1 extents are given, input 'x' has rank 2\n"
            "give one extent for each axis; ? leaves one free");
  EXPECT_EQ(error_of(m, {.shapes = {{"x", {3, 4}}}}),
            "--shapes x: axis 0 is 2 in the model, not 3\n"
            "only free extents can be fixed; export the model again with that axis dynamic");
  EXPECT_EQ(error_of(m, {.shapes = {{"x", {2, 0}}}}),
            "--shapes x: axis 1 has extent 0\nextents are 1 or more; ? leaves one free");
  EXPECT_EQ(
      error_of(m, {.shapes = {{"x", {2, 4}}, {"z", {5}}}}),
      "--shapes z: axis 0 is 'n', which is 4 in another input, not 5\naxes of one name have one extent");
  EXPECT_EQ(error_of(m, {.shapes = {{"x", {2, 4}}, {"z", {4}}}}), "no error");
}

TEST(ImportErrors, Profiles) {
  Model m = relu();
  m.graph.inputs.push_back(tensor_info("z", {named("n"), named("")}));
  const auto error = [&](std::vector<InputRanges> profiles,
                         std::map<std::string, std::vector<int64_t>> shapes = {}) {
    return error_of(m, {.shapes = std::move(shapes), .profiles = std::move(profiles)});
  };
  const ExtentRange two{2, 2, 2}, n{1, 4, 8};
  EXPECT_EQ(error({{{"x", {two, n}}, {"z", {n, {1, 1, 9}}}}}), "no error");
  EXPECT_EQ(error({{{"w", {two}}}}), "profile 0: input 'w' is not in the model\nits inputs are 'x', 'z'");
  EXPECT_EQ(error({{{"x", {two}}}}),
            "profile 0: input 'x' has rank 2, and its range 1 axes\ngive one extent for each axis");
  EXPECT_EQ(error({{{"x", {two, {0, 4, 8}}}}}),
            "profile 0: input 'x' axis 1 has the range 0 to 8, opt 4\nextents are from 1 to 2^40 - 1");
  EXPECT_EQ(error({{{"x", {two, n}}}, {{"x", {two, {4, 2, 8}}}}}),
            "profile 1: input 'x' axis 1 has min 4, opt 2 and max 8\n"
            "give them in this order: min <= opt <= max");
  EXPECT_EQ(error({{{"x", {{1, 2, 3}, n}}}}),
            "profile 0: input 'x' axis 0 is 2 in the model, not 1 to 3, opt 2\n"
            "only free axes have a range; export the model again with that axis dynamic");
  EXPECT_EQ(error({{{"x", {two, n}}, {"z", {{1, 3, 8}, n}}}}),
            "profile 0: input 'z' axis 0 is 'n', whose opt is 4 in input 'x', not 3\n"
            "axes of one name have one extent");
  EXPECT_EQ(error({{{"x", {two, n}}, {"z", {n, n}}}, {{"x", {two, n}}}}),
            "profile 1 says nothing of input 'z', and profile 0 does\ngive the same inputs in every profile");
  EXPECT_EQ(error({{{"x", {two, n}}}}, {{"x", {2, 4}}}),
            "profile 0: input 'x' has a fixed shape as well\ngive it either a shape or a range");
  EXPECT_EQ(error({{{"x", {two, n}}}}, {{"z", {5, -1}}}),
            "profile 0: input 'x' axis 1 is 'n', whose opt is 5 in input 'z', not 4\n"
            "axes of one name have one extent");
}

TEST(Import, AxesAreWhatAnyProfileAllows) {
  Model m = relu();
  m.graph.inputs = {tensor_info("x", {named("batch"), named("n"), named("")}),
                    tensor_info("z", {named("n")})};
  const ExtentRange three{3, 3, 3};
  const auto range_of = [](const burnish::Graph& graph, size_t axis) {
    return graph.dims->range(graph.values[graph.inputs[0]].type.shape[axis]);
  };
  const auto graph =
      imported(m, {.profiles = {{{"x", {{1, 1, 1}, {2, 4, 8}, three}}, {"z", {{1, 4, 6}}}},
                                {{"x", {{4, 8, 8}, {10, 10, 12}, three}}, {"z", {{9, 10, 11}}}}}});
  ASSERT_TRUE(graph) << graph.error().cause();
  EXPECT_EQ(range_of(*graph, 0), (Range{1, 8}));
  EXPECT_EQ(range_of(*graph, 1), (Range{2, 11}));  // what both inputs allow
  EXPECT_EQ(range_of(*graph, 2), (Range{3, 3}));
}

TEST(ImportErrors, FunctionsThatCallThemselves) {
  Model m = relu();
  m.opset_imports.push_back({.domain = "local", .version = 1});
  m.functions = {{.domain = "local", .name = "Again", .inputs = {"a"}, .outputs = {"b"}}};
  m.functions[0].nodes = {node("inner", "Again", {"a"}, {"b"})};
  m.functions[0].nodes[0].domain = m.graph.nodes[0].domain = "local";
  m.functions[0].opset_imports = m.opset_imports;
  m.graph.nodes[0].op_type = "Again";
  const auto graph = imported(m);
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code(), Code::invalid_model);
  EXPECT_NE(graph.error().what().find("local functions call each other without end"), std::string::npos)
      << graph.error().what();
}

// ---------------------------------------------------------------------------------------- what comes out

TEST(Import, UnnamedExtentsAreDistinctNamedOnesAreOne) {
  Model m = relu();
  m.graph.inputs = {tensor_info("x", {named(""), named("n"), named("")}),
                    tensor_info("z", {named("n"), named("")})};
  m.graph.nodes.push_back(node("q", "Neg", {"z"}, {"w"}));
  m.graph.outputs.push_back({.name = "w"});
  EXPECT_EQ(text_of(m),
            "graph g(%x: f32[x.0, n, x.2], %z: f32[n, z.1]) -> (%y, %w) where n = input(%x, 1), x.0 = "
            "input(%x, 0), "
            "x.2 = input(%x, 2), z.1 = input(%z, 1) {\n"
            "  %y = Relu(%x) : f32[x.0, n, x.2] @\"r\"\n"
            "  %w = Neg(%z) : f32[n, z.1] @\"q\"\n"
            "}\n");
}

TEST(Import, AFixedNameIsFixedEverywhere) {
  Model m = relu();
  m.graph.inputs.push_back(tensor_info("z", {named("n")}));
  EXPECT_EQ(text_of(m, {.shapes = {{"x", {-1, 4}}}}),
            "graph g(%x: f32[2, 4], %z: f32[4]) -> (%y) {\n"
            "  %y = Relu(%x) : f32[2, 4] @\"r\"\n"
            "}\n");
}

TEST(Import, ABranchWhoseConditionIsKnownIsInlined) {
  for (bool which : {true, false}) {
    Model m = relu();
    m.graph.initializers = {condition("c", which)};
    m.graph.nodes = {node("choose", "If", {"c"}, {"y"},
                          {body("then_branch", {node("t", "Exp", {"x"}, {"a"})}, "a"),
                           body("else_branch", {node("e", "Frobnicate", {"x"}, {"a"})}, "a")})};
    if (which)
      EXPECT_EQ(text_of(m),
                "graph g(%x: f32[2, n]) -> (%y) where n = input(%x, 1) {\n"
                "  %a = Exp(%x) : f32[2, n] @\"t\"\n"
                "  %y = Identity(%a) : f32[2, n] @\"y\"\n"
                "}\n");
    else
      EXPECT_EQ(error_of(m),
                "node 'e' (Frobnicate): operator 'Frobnicate' of domain 'ai.onnx' is not supported\n"
                "load a plugin that has it, replace it before exporting, or give the model a local function "
                "that spells it out");
  }
}

TEST(Import, AnOperatorOfAPluginKeepsWhatThePluginSaid) {
  burnish_plugin_operator op{.domain = "own", .name = "Pad", .version = "3"};
  op.infer = [](void*, const burnish_extents* e, const burnish_plugin_type* in, int, burnish_plugin_type* out,
                int* count, burnish_plugin_reason*) {
    out[0] = in[0];
    out[0].extents[1] = e->combine(e->self, BURNISH_EXTENT_SUM, in[0].extents[1], e->constant(e->self, 2));
    *count = 1;
    return 0;
  };
  op.enqueue = [](void*, const burnish_tensor*, int, const burnish_tensor*, int, void*, void*,
                  burnish_plugin_reason*) { return 0; };
  const burnish_plugin own{
      .abi = BURNISH_PLUGIN_ABI, .name = "mine", .version = "1.2", .operators = &op, .operator_count = 1};
  plugin::Plugins plugins;
  ASSERT_TRUE(plugins.add(&own));
  Model m = relu();
  m.graph.inputs = {tensor_info("x", {extent(2), named("n")})};
  m.graph.nodes = {node("p", "Pad", {"x"}, {"y"}, {integer("size", 2)})};
  m.graph.nodes[0].domain = "own";
  const std::string text = text_of(m, {.plugins = &plugins});
  EXPECT_EQ(text,
            "graph g(%x: f32[2, n]) -> (%y) where n = input(%x, 1) {\n"
            "  %y = Plugin(%x) {plugin=[\"mine\", \"1.2\", \"\"], op=[\"own\", \"Pad\", \"3\"], "
            "attributes=\"[{\\\"name\\\":\\\"size\\\",\\\"kind\\\":2,\\\"value\\\":[2]}]\", device=true, "
            "types=[\"f32\"], ranks=[2], extents=[2, n + 2], workspace=[0]} : f32[2, n + 2] @\"p\"\n"
            "}\n");
  const auto back = parse(text);
  ASSERT_TRUE(back) << back.error().cause();
  EXPECT_EQ(print(*back), text);
}

TEST(Import, ABranchThatCannotBeImportedFailsOnlyWhenTaken) {
  Model m = relu();
  m.graph.inputs = {tensor_info("x", {extent(2)}), tensor_info("c", {}, bool_type)};
  m.graph.nodes = {node("choose", "If", {"c"}, {"y"},
                        {body("then_branch", {node("t", "Exp", {"x"}, {"a"})}, "a"),
                         body("else_branch", {node("e", "Frobnicate", {"x"}, {"a"})}, "a")})};
  const auto graph = imported(m);
  ASSERT_TRUE(graph) << graph.error().cause();
  EXPECT_TRUE(verify(*graph));
  ASSERT_EQ(graph->nodes.size(), 1u);
  ASSERT_EQ(graph->nodes[0].regions.size(), 2u);
  EXPECT_EQ(graph->nodes[0].regions[0].nodes.at(0).op->name, "Exp");
  const burnish::Node& fails = graph->nodes[0].regions[1].nodes.at(0);
  EXPECT_EQ(fails.op->name, "Fail");
  EXPECT_EQ(
      *fails.attrs.find<std::string>("message"),
      "node 'e' (Frobnicate): operator 'Frobnicate' of domain 'ai.onnx' is not supported, while importing "
      "the else branch of node 'choose' (If)");

  m.graph.nodes[0].attributes[0] = body("then_branch", {node("t", "Nonsense", {"x"}, {"a"})}, "a");
  EXPECT_EQ(
      error_of(m),
      "node 't' (Nonsense): operator 'Nonsense' of domain 'ai.onnx' is not supported, while importing the "
      "then branch of node 'choose' (If)\n"
      "load a plugin that has it, replace it before exporting, or give the model a local function that "
      "spells it out");
}

TEST(Import, WhatARefusedBranchReadIsThereForOthers) {
  Model m = relu();
  m.graph.inputs = {tensor_info("x", {extent(2)}), tensor_info("c", {}, bool_type)};
  m.graph.initializers = {condition("w", true)};
  m.graph.nodes = {node("choose", "If", {"c"}, {"a"},
                        {body("then_branch", {node("t", "Exp", {"x"}, {"a"})}, "a"),
                         body("else_branch",
                              {node("n", "Not", {"w"}, {"v"}), node("e", "Frobnicate", {"v"}, {"a"})}, "a")}),
                   node("pick", "Where", {"w", "a", "x"}, {"y"})};
  const auto graph = imported(m);
  ASSERT_TRUE(graph) << graph.error().cause();
  EXPECT_TRUE(verify(*graph));
}

/// The body of a Loop or Scan, with inputs and outputs.
Attribute loop_body(std::vector<std::string> inputs, std::vector<Node> nodes,
                    std::vector<std::string> outputs) {
  Graph g;
  g.name = "body";
  for (std::string& name : inputs) g.inputs.push_back({.name = std::move(name)});
  for (std::string& name : outputs) g.outputs.push_back({.name = std::move(name)});
  g.nodes = std::move(nodes);
  Attribute a;
  a.name = "body";
  a.type = AttributeType::graph;
  a.g = std::make_shared<const Graph>(std::move(g));
  return a;
}

TEST(Import, ABodySeesNoExtentOfTheGraphAroundIt) {
  Model m = relu();
  m.graph.inputs.push_back(tensor_info("trips", {}, int64_type));
  m.graph.inputs.push_back(tensor_info("z", {extent(2), named("n")}));
  m.graph.nodes = {node("loop", "Loop", {"trips", "", "x"}, {"y"},
                        {loop_body({"i", "on", "v"}, {node("add", "Add", {"v", "z"}, {"w"})}, {"on", "w"})})};
  EXPECT_EQ(text_of(m), R"(symbols n, v.1 in 0.., z.1
require select(equal(1, v.1), select(equal(1, v.1), z.1, v.1), v.1) == select(equal(1, v.1), z.1, v.1) "node 'add' (Add): shapes [2, v.1] and [2, z.1] must broadcast"
require select(equal(1, z.1), select(equal(1, v.1), z.1, v.1), z.1) == select(equal(1, v.1), z.1, v.1) "node 'add' (Add): shapes [2, v.1] and [2, z.1] must broadcast"
graph g(%x: f32[2, n], %trips: i64[], %z: f32[2, n]) -> (%y) where n = input(%x, 1) {
  %y = Loop(%trips, _, %x, %z) {carried=1} : f32[2, n] @"loop" {
    graph body(%i: i64[], %on: bool[] = [1], %v: f32[2, v.1], %z: f32[2, z.1]) -> (%on, %w) where v.1 = input(%v, 1), z.1 = input(%z, 1) {
      %w = Add(%v, %z) : f32[2, select(equal(1, v.1), z.1, v.1)] @"add"
    }
  }
}
)");
}

TEST(Import, ABodyIsNotSimplifiedForTheFirstIterationAlone) {
  Model m = relu();
  m.graph.inputs = {tensor_info("x", {extent(2)}), tensor_info("trips", {}, int64_type)};
  m.graph.nodes = {node("loop", "Loop", {"trips", "", "x"}, {"y", "s"},
                        {loop_body({"i", "on", "v"},
                                   {node("shape", "Shape", {"v"}, {"shape"}),
                                    node("concat", "Concat", {"v", "v"}, {"w"}, {integer("axis", 0)})},
                                   {"on", "w", "shape"})})};
  m.graph.outputs = {{.name = "y"}, {.name = "s"}};
  EXPECT_EQ(text_of(m), R"(symbols v.0 in 0.., v2.0 in 0.., v3.0 in 0..
graph g(%x: f32[2], %trips: i64[]) -> (%y, %s) where v2.0 = extent(%y, 0), v3.0 = extent(%s, 0) {
  %y, %s = Loop(%trips, _, %x) {carried=1} : f32[v2.0], i64[v3.0, 1] @"loop" {
    graph body(%i: i64[], %on: bool[] = [1], %v: f32[v.0]) -> (%on, %w, %shape) where v.0 = input(%v, 0) {
      %shape = Shape(%v) : i64[1] = [v.0] @"shape"
      %w = Concat(%v, %v) : f32[2*v.0] @"concat"
    }
  }
}
)");
}

TEST(ImportErrors, Loops) {
  Model m = relu();
  m.graph.nodes = {node("loop", "Loop", {"", "", "x"}, {"y"}, {loop_body({"i", "on"}, {}, {"on"})})};
  EXPECT_EQ(error_of(m), "node 'loop' (Loop): its body takes 2 inputs, it gives 3\n");
  m.graph.nodes[0].attributes = {loop_body({"i", "on", "v"}, {}, {"on"})};
  EXPECT_EQ(error_of(m), "node 'loop' (Loop): its body gives 1 values, with 1 to carry\n");
  m.graph.nodes[0].attributes = {};
  EXPECT_EQ(error_of(m), "node 'loop' (Loop): has no body\n");
  m.graph.nodes = {
      node("scan", "Scan", {"x"}, {"y"}, {loop_body({"v"}, {}, {"v"}), integer("num_scan_inputs", 2)})};
  EXPECT_EQ(error_of(m), "node 'scan' (Scan): num_scan_inputs exceeds its inputs\n");
  m.opset_imports = {{.domain = "", .version = 8}};
  EXPECT_EQ(error_of(m),
            "node 'scan' (Scan): Scan before opset 9 is not supported\n"
            "convert the model with onnx.version_converter");
}

TEST(Import, LocalFunctionsAreInlinedWithTheirCallersAttributes) {
  Model m = relu();
  m.opset_imports.push_back({.domain = "local", .version = 1});
  Function f{.domain = "local", .name = "Twice", .inputs = {"a"}, .outputs = {"b"}, .attributes = {"slope"}};
  f.attribute_protos = {real("steep", 0.25f)};
  f.opset_imports = {{.domain = "", .version = 17}};
  f.nodes = {node("one", "LeakyRelu", {"a"}, {"t"}, {reference("alpha", AttributeType::real, "slope")}),
             node("two", "Elu", {"t"}, {"b"}, {reference("alpha", AttributeType::real, "steep")})};
  m.functions = {f};
  m.graph.nodes = {node("f", "Twice", {"x"}, {"y"}, {real("slope", 0.5f)})};
  m.graph.nodes[0].domain = "local";
  const auto graph = imported(m);
  ASSERT_TRUE(graph) << graph.error().cause();
  EXPECT_TRUE(verify(*graph));
  ASSERT_GE(graph->nodes.size(), 2u);
  EXPECT_EQ(graph->nodes[0].op->name, "LeakyRelu");
  EXPECT_EQ(*graph->nodes[0].attrs.find<float>("alpha"), 0.5f);  // given by the caller
  EXPECT_EQ(graph->nodes[0].provenance, std::vector<std::string>{"f/one"});
  EXPECT_EQ(graph->nodes[1].op->name, "Elu");
  EXPECT_EQ(*graph->nodes[1].attrs.find<float>("alpha"), 0.25f);  // the function's own default

  m.graph.nodes[0].attributes.clear();
  const auto plain = imported(m);
  ASSERT_TRUE(plain) << plain.error().cause();
  EXPECT_EQ(*plain->nodes[0].attrs.find<float>("alpha"), 0.01f);  // not given: the operator's
}

TEST(Import, AFunctionSeesNoNameOfItsCaller) {
  Model m = relu();
  m.opset_imports.push_back({.domain = "local", .version = 1});
  m.functions = {{.domain = "local", .name = "Peek", .inputs = {"a"}, .outputs = {"b"}}};
  m.functions[0].opset_imports = {{.domain = "", .version = 17}};
  m.functions[0].nodes = {node("p", "Add", {"a", "x"}, {"b"})};
  m.graph.nodes = {node("f", "Peek", {"x"}, {"y"})};
  m.graph.nodes[0].domain = "local";
  EXPECT_EQ(
      error_of(m),
      "node 'f/p' (Add) reads 'x', which nothing writes, while inlining function 'Peek' for node 'f' (Peek)\n"
      "check the model with onnx.checker");
}

TEST(Import, ConstantsAreFoldedAndShapesFollowed) {
  Model m = relu();
  const int64_t shape[] = {-1, 2};
  m.graph.initializers = {{.name = "s",
                           .data_type = int64_type,
                           .dtype = DType::i64,
                           .dims = {2},
                           .payload = Tensor::of<int64_t>(DType::i64, {2}, shape)}};
  m.graph.nodes = {node("k", "Neg", {"s"}, {"t"}), node("l", "Neg", {"t"}, {"u"}),
                   node("r", "Reshape", {"x", "u"}, {"y"})};
  const auto graph = imported(m);
  ASSERT_TRUE(graph) << graph.error().cause();
  ASSERT_EQ(graph->nodes.size(), 1u);
  EXPECT_EQ(graph->nodes[0].op->name, "Reshape");
  EXPECT_EQ(graph->dims->text(graph->values[graph->outputs[0]].type.shape), "[n, 2]");
}

}  // namespace
}  // namespace burnish::onnx
