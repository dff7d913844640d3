#include "compiler/reader_order.h"

#include <gtest/gtest.h>

#include "ir/text.h"

namespace burnish {
namespace {

/// The order for %y in a graph whose other nodes are `readers`.
std::vector<int> order_in(std::string_view y_type, std::string_view outputs, std::string_view readers) {
  const std::string text = "graph (%x: " + std::string(y_type) + ") -> (" + std::string(outputs) +
                           ") {\n  %y = Relu(%x) : " + std::string(y_type) + "\n" + std::string(readers) +
                           "}\n";
  auto graph = parse(text);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().cause()) << "\n" << text;
  return graph ? order_of_reader(*graph, graph->nodes[0].outputs[0]) : std::vector<int>();
}

using Order = std::vector<int>;

TEST(ReaderOrder, IsWhatTheTransposeMakesRowMajor) {
  EXPECT_EQ(order_in("f16[2, 3, 5, 8]", "%z", "  %z = Transpose(%y) {perm=[0, 2, 1, 3]} : f16[2, 5, 3, 8]\n"),
            (Order{0, 2, 1, 3}));
  EXPECT_EQ(order_in("f16[2, 3, 5, 8]", "%z", "  %z = Transpose(%y) {perm=[2, 0, 1, 3]} : f16[5, 2, 3, 8]\n"),
            (Order{2, 0, 1, 3}));
}

TEST(ReaderOrder, AxesThatAReshapeJoinsStayTogether) {
  EXPECT_EQ(order_in("f16[2, 4, 3, 5, 8]", "%z",
                     "  %s = constant i64[4] {8, 3, 5, 8}\n"
                     "  %r = Reshape(%y, %s) : f16[8, 3, 5, 8]\n"
                     "  %z = Transpose(%r) {perm=[0, 2, 1, 3]} : f16[8, 5, 3, 8]\n"),
            (Order{0, 1, 3, 2, 4}));
}

TEST(ReaderOrder, IsFreeWithoutSuchAReader) {
  EXPECT_EQ(order_in("f16[3, 8]", "%z", "  %z = Neg(%y) : f16[3, 8]\n"), Order());
  EXPECT_EQ(order_in("f16[3, 8]", "%z", "  %z = Transpose(%y) {perm=[1, 0]} : f16[8, 3]\n"), Order())
      << "the last axis would lie apart";
  EXPECT_EQ(order_in("f16[2, 3, 8]", "%z, %y", "  %z = Transpose(%y) {perm=[1, 0, 2]} : f16[3, 2, 8]\n"),
            Order())
      << "it is a result as well";
  EXPECT_EQ(order_in("f16[2, 3, 8]", "%z, %o",
                     "  %z = Transpose(%y) {perm=[1, 0, 2]} : f16[3, 2, 8]\n  %o = Neg(%y) : f16[2, 3, 8]\n"),
            Order())
      << "it has another reader";
  EXPECT_EQ(order_in("f16[6, 8]", "%z",
                     "  %s = constant i64[3] {2, 3, 8}\n"
                     "  %r = Reshape(%y, %s) : f16[2, 3, 8]\n"
                     "  %z = Transpose(%r) {perm=[1, 0, 2]} : f16[3, 2, 8]\n"),
            Order())
      << "the reshape splits an axis";
}

}  // namespace
}  // namespace burnish
