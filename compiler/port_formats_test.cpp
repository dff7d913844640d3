#include "compiler/port_formats.h"

#include <gtest/gtest.h>

#include "ir/text.h"
#include "ir/verify.h"

namespace burnish {
namespace {

constexpr std::string_view picture =
    R"(graph (%x: f32[n, 3, 2, 2], %ids: i64[n]) -> (%y, %z) where n = input(%x, 0) {
  %y = Relu(%x) : f32[n, 3, 2, 2]
  %z = Neg(%y) : f32[n, 3, 2, 2]
}
)";

Graph parsed() {
  auto graph = parse(picture);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause());
  return graph ? *std::move(graph) : Graph();
}

std::string refusal(const PortFormats& inputs, const PortFormats& outputs) {
  Graph graph = parsed();
  const Result<> done = apply_port_formats(graph, inputs, outputs);
  return done ? "" : done.error().cause() + " / " + done.error().remedy();
}

TEST(PortFormats, CastsStandBetweenThePortsAndTheModel) {
  Graph graph = parsed();
  ASSERT_TRUE(apply_port_formats(graph, {{"x", {.dtype = DType::f16}}}, {{"y", {.dtype = DType::f16}}}));
  ASSERT_TRUE(verify(graph));
  EXPECT_EQ(print(graph),
            R"(graph (%x: f16[n, 3, 2, 2], %ids: i64[n]) -> (%y~2, %z) where n = input(%x, 0) {
  %x~2 = Cast(%x) : f32[n, 3, 2, 2] @"x"
  %y = Relu(%x~2) : f32[n, 3, 2, 2]
  %z = Neg(%y) : f32[n, 3, 2, 2]
  %y~2 = Cast(%y) {to=f16} : f16[n, 3, 2, 2] @"y"
}
)");
}

TEST(PortFormats, OrdersAreThoseOfTheLayouts) {
  const Graph graph = parsed();
  const auto orders = port_orders(graph, graph.inputs, {{"x", {.layout = Layout::channels_last}}});
  EXPECT_EQ(orders, (std::vector<std::vector<int>>{{0, 2, 3, 1}, {}}));
}

TEST(PortFormats, WhatCannotBeIsRefusedWithTheOption) {
  EXPECT_EQ(refusal({{"X", {}}}, {}), "--input-formats X: the model has no input 'X' / it has 'x', 'ids'");
  EXPECT_EQ(refusal({}, {{"x", {}}}), "--output-formats x: the model has no output 'x' / it has 'y', 'z'");
  EXPECT_EQ(refusal({{"ids", {.dtype = DType::f16}}}, {}),
            "--input-formats ids: input 'ids' is i64 and cannot be f16 / "
            "only floating-point types are converted; leave its type away");
  EXPECT_EQ(
      refusal({{"ids", {.layout = Layout::channels_last}}}, {}),
      "--input-formats ids: input 'ids' has 1 axes, and channels go last where there are three or more / "
      "leave its layout away");
}

}  // namespace
}  // namespace burnish
