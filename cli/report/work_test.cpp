#include "cli/report/work.h"

#include <gtest/gtest.h>

namespace burnish::cli::report {
namespace {

TextNode node(std::string op, std::vector<TextType> inputs, std::vector<TextType> outputs) {
  TextNode node;
  node.ops = {std::move(op)};
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  return node;
}

TEST(Work, IsThatOfTheContraction) {
  const TextType image{"f16", {"2", "3", "8", "8"}}, filter{"f16", {"16", "3", "3", "3"}},
      result{"f16", {"2", "16", "6", "6"}};
  struct Case {
    TextNode node;
    int64_t flops;
  };
  const Case cases[] = {
      {node("Conv", {image, filter}, {result}), 2 * (2 * 16 * 6 * 6) * (3 * 3 * 3)},
      {node("ConvTranspose", {image, filter}, {result}), 2 * (2 * 3 * 8 * 8) * (3 * 3 * 3)},
      {node("MatMul", {{"f32", {"4", "5"}}, {"f32", {"5", "7"}}}, {{"f32", {"4", "7"}}}), 2 * 4 * 7 * 5},
      {node("Attention", {{"f32", {"2", "9", "8"}}, {"f32", {"2", "11", "8"}}, {"f32", {"2", "11", "6"}}},
            {{"f32", {"2", "9", "6"}}}),
       2 * (2 * 9 * 11) * (8 + 6)},
      {node("Add", {image, image}, {image}), 0},
  };
  for (const Case& c : cases) EXPECT_EQ(estimate_work(c.node, {})->flops, c.flops) << c.node.ops[0];
}

TEST(Work, BytesCountEachTensorOnce) {
  const auto work =
      estimate_work(node("Where", {{"bool", {"4"}}, {"f32", {"4"}}, {"f32", {}}}, {{"f32", {"4"}}}), {});
  EXPECT_EQ(work->bytes_read, 4 + 16 + 4);
  EXPECT_EQ(work->bytes_written, 16);
}

TEST(Work, FreeExtentsAreThoseOfTheRun) {
  const TextNode copy = node("Identity", {{"i64", {"batch"}}}, {{"i64", {"batch"}}});
  EXPECT_FALSE(estimate_work(copy, {}));
  EXPECT_EQ(estimate_work(copy, {{"batch", 3}})->bytes_read, 24);
  EXPECT_FALSE(numbers({"f32", {"2*batch"}}, {{"batch", 3}}));
}

}  // namespace
}  // namespace burnish::cli::report
