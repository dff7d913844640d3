#include "plugin/attributes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace burnish::plugin {

static std::vector<Attribute> one_of_each_kind() {
  const float all[] = {1.5f, -0.0f};
  return {{.name = "float", .kind = BURNISH_ATTRIBUTE_FLOAT, .floats = {0.1f}},
          {.name = "int", .kind = BURNISH_ATTRIBUTE_INT, .ints = {std::numeric_limits<int64_t>::min()}},
          {.name = "string", .kind = BURNISH_ATTRIBUTE_STRING, .strings = {"\"quoted\""}},
          {.name = "tensor",
           .kind = BURNISH_ATTRIBUTE_TENSOR,
           .tensor = Tensor::of<float>(DType::f32, {2, 1}, all)},
          {.name = "floats",
           .kind = BURNISH_ATTRIBUTE_FLOATS,
           .floats = {std::numeric_limits<float>::denorm_min(), -std::numeric_limits<float>::infinity()}},
          {.name = "ints", .kind = BURNISH_ATTRIBUTE_INTS},
          {.name = "strings", .kind = BURNISH_ATTRIBUTE_STRINGS, .strings = {"", std::string("\0\xff", 2)}}};
}

TEST(PluginAttributes, TheirText) {
  EXPECT_EQ(text_of(one_of_each_kind()),
            R"([{"name":"float","kind":1,"value":["0.1"]},)"
            R"({"name":"int","kind":2,"value":[-9223372036854775808]},)"
            R"({"name":"string","kind":3,"value":["\"quoted\""]},)"
            R"({"name":"tensor","kind":4,"value":{"dtype":"f32","shape":[2,1],"hex":"0000c03f00000080"}},)"
            R"({"name":"floats","kind":6,"value":["1e-45","-inf"]},)"
            R"({"name":"ints","kind":7,"value":[]},)"
            R"({"name":"strings","kind":8,"value":["",{"hex":"00ff"}]}])");
}

TEST(PluginAttributes, TheTextGivesThemBack) {
  const std::string text = text_of(one_of_each_kind());
  const auto back = attributes_from(text);
  ASSERT_TRUE(back) << back.error().cause();
  EXPECT_EQ(text_of(*back), text);
}

TEST(PluginAttributes, AsAPluginReadsThem) {
  const std::vector<Attribute> attributes = one_of_each_kind();
  const AttributeViews views(attributes);
  ASSERT_EQ(views.all().size(), 7u);
  EXPECT_STREQ(views.all()[0].name, "float");
  EXPECT_EQ(views.all()[0].count, 1u);
  EXPECT_EQ(views.all()[0].floats[0], 0.1f);
  EXPECT_EQ(views.all()[3].tensor->rank, 2);
  EXPECT_TRUE(std::signbit(static_cast<const float*>(views.all()[3].tensor->data)[1]));
  EXPECT_EQ(views.all()[5].count, 0u);
  EXPECT_EQ(views.all()[6].string_sizes[1], 2u);
  const auto copies = copies_of(views.all());
  ASSERT_TRUE(copies) << copies.error().cause();
  EXPECT_EQ(text_of(*copies), text_of(attributes));
}

TEST(PluginAttributes, OtherTextsAreRefused) {
  for (const char* text :
       {"", "{", "7", R"([{"name":"a"}])", R"([{"name":"a","kind":1,"value":["x"]}])",
        R"([{"name":"a","kind":5,"value":[]}])", R"([{"name":"a","kind":2,"value":["1"]}])",
        R"([{"name":"a","kind":3,"value":[{"hex":"0"}]}])",
        R"([{"name":"a","kind":4,"value":{"dtype":"f32","shape":[2],"hex":"00"}}])",
        R"([{"name":"a","kind":4,"value":{"dtype":"f33","shape":[0],"hex":""}}])",
        R"([{"name":"a","kind":4,"value":{"dtype":"f32","shape":[-1],"hex":""}}])"}) {
    const auto attributes = attributes_from(text);
    ASSERT_FALSE(attributes) << text;
    EXPECT_EQ(attributes.error().code(), Code::incompatible_engine);
    EXPECT_TRUE(attributes.error().cause().starts_with("the attributes of a plugin's node cannot be read: "));
  }
}

TEST(PluginAttributes, WhatAPluginGivesIsChecked) {
  const auto cause = [](burnish_attribute a) {
    const auto copies = copies_of({&a, 1});
    return copies ? std::string() : copies.error().what();
  };
  const std::string malformed = "an attribute that it gives is malformed: ";
  EXPECT_EQ(cause({.name = nullptr}), malformed + "it has no name");
  EXPECT_EQ(cause({.name = "a", .kind = BURNISH_ATTRIBUTE_INTS, .count = 1}), malformed + "'a' has no ints");
  EXPECT_EQ(cause({.name = "a", .kind = BURNISH_ATTRIBUTE_TENSOR}), malformed + "'a' has no tensor");
  EXPECT_EQ(cause({.name = "a", .kind = static_cast<burnish_attribute_kind>(5)}),
            malformed + "'a' is of no kind");
}

}  // namespace burnish::plugin
