#include "cli/formats.h"

#include <gtest/gtest.h>

#include "cli/failure.h"

namespace burnish::cli {
namespace {

std::string causes(const std::string& text) {
  try {
    parse_formats("--input-formats", {text});
  } catch (const Failure& failure) {
    return failure.cause;
  }
  return "";
}

TEST(Formats, ATypeALayoutOrBoth) {
  const Formats formats = parse_formats("--input-formats", {"a:fp16:nhwc,b:nhwc", "n:0:bf16"});
  ASSERT_EQ(formats.size(), 3u);
  EXPECT_EQ(formats.at("a").dtype, BURNISH_F16);
  EXPECT_EQ(formats.at("a").layout, BURNISH_CHANNELS_LAST);
  EXPECT_EQ(formats.at("b").dtype, -1);
  EXPECT_EQ(formats.at("b").layout, BURNISH_CHANNELS_LAST);
  EXPECT_EQ(formats.at("n:0").dtype, BURNISH_BF16);
  EXPECT_EQ(formats.at("n:0").layout, BURNISH_ROW_MAJOR);
}

TEST(Formats, WhatIsNone) {
  EXPECT_EQ(causes("a"), "--input-formats: 'a' does not end in a type or a layout");
  EXPECT_EQ(causes("a:fp17"), "--input-formats: 'a:fp17' does not end in a type or a layout");
  EXPECT_EQ(causes(":fp16"), "--input-formats: ':fp16' does not end in a type or a layout");
  EXPECT_EQ(causes("a:fp16,a:nhwc"), "--input-formats: 'a' is given twice");
}

TEST(Formats, ElementsGoWhereTheOrderPutsThemAndComeBack) {
  const Array array{BURNISH_U8,
                    {1, 2, 3},
                    {std::byte{0}, std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5}}};
  const int order[] = {0, 2, 1};
  const Array moved = into_order(array, order);
  EXPECT_EQ(moved.bytes, (std::vector<std::byte>{std::byte{0}, std::byte{3}, std::byte{1}, std::byte{4},
                                                 std::byte{2}, std::byte{5}}));
  EXPECT_EQ(moved.shape, array.shape);
  EXPECT_EQ(from_order(moved, order).bytes, array.bytes);
  EXPECT_EQ(into_order(array, nullptr).bytes, array.bytes);
  EXPECT_EQ(order_text(order, 3), "axes 0 2 1");
}

}  // namespace
}  // namespace burnish::cli
