#include <gtest/gtest.h>

#include "ops/testing.h"

namespace burnish::testing {
namespace {

// If(condition) { Slice(x, 0, k) } else { x } with x captured.
struct Branches {
  TestGraph outer;
  Node node{.op = find_op("If"), .provenance = {"t"}};

  Branches(std::string_view x, std::string_view condition = "bool[]") {
    node.inputs = {*outer.input(condition), *outer.input(x)};
    for (int i = 0; i < 2; ++i) {
      Graph& region = node.regions.emplace_back();
      region.dims = outer.graph.dims;
      region.inputs = {region.add_value({})};
      region.outputs = {region.inputs[0]};
    }
    node.outputs = {outer.graph.add_value({}, "y")};
  }
  void then(std::string_view op, std::vector<Tensor> constants, const NamedAttributes& attrs = {}) {
    Graph& region = node.regions[0];
    Node inner = *make_node(op, attrs);
    inner.inputs = {region.inputs[0]};
    for (Tensor& t : constants) inner.inputs.push_back(region.add_constant(std::move(t)));
    inner.outputs = {region.add_value({}, "z")};
    region.outputs = inner.outputs;
    region.nodes.push_back(std::move(inner));
    region.index();
  }
  std::string text() {
    auto done = infer(outer.graph, node);
    return done ? outer.text(node.outputs[0])
                : "error: " + done.error().cause() + " | " + done.error().remedy();
  }
};

TEST(If, EqualExtentsStayOthersAreFoundWhenItRuns) {
  Branches same("f32[n, 4]");
  EXPECT_EQ(same.text(), "f32[n, 4]");
  Branches shorter("f32[n, 4]");
  shorter.then("Slice", {ints({0}), ints({3}), ints({1})});
  EXPECT_EQ(shorter.text(), "f32[n, y.1]");
  const Dim found = shorter.outer.graph.values[shorter.node.outputs[0]].type.shape[1];
  EXPECT_EQ(shorter.outer.graph.dims->range(found), (Range{3, 4}));
  Branches data("f32[n]");
  data.then("NonZero", {});
  EXPECT_EQ(data.text(),
            "error: node 't' (If): output 0 is i64 in the then branch and f32 in the else branch | ");
}

TEST(If, RanksMustAgree) {
  Branches b("f32[n, 4]");
  b.then("Unsqueeze", {}, {{"axes", std::vector<int64_t>{0}}});
  EXPECT_EQ(b.text(),
            "error: node 't' (If): output 0 has shape [1, n, 4] in the then branch and [n, 4] in the else "
            "branch: the ranks "
            "must agree | fix the extents that the condition depends on with --shapes, so that one branch is "
            "chosen when the "
            "engine is built");
  EXPECT_EQ(Branches("f32[n]", "f32[]").text(),
            "error: node 't' (If): the condition must be one bool, it is f32[] | ");
}

}  // namespace
}  // namespace burnish::testing
