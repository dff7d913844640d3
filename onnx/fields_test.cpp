#include "onnx/fields.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>

#include "onnx/model.h"

namespace burnish::onnx {
namespace {

/// What onnx-ml.proto says, as far as fields and enumerators go.
struct Schema {
  struct Field {
    std::string type;
    uint32_t number;
  };
  std::map<std::string, std::map<std::string, Field>> messages;
  std::map<std::string, std::map<std::string, int>> enums;
};

Schema parse(std::istream& file) {
  const std::regex opening(R"(^\s*(message|enum|oneof)\s+(\w+)\s*\{)");
  const std::regex field(R"(^\s*(?:optional |repeated )?\s*(\w+)\s+(\w+)\s*=\s*(\d+)\s*[;\[])");
  const std::regex enumerator(R"(^\s*(\w+)\s*=\s*(\d+)\s*;)");
  Schema schema;
  std::vector<std::pair<std::string, std::string>> scopes;
  for (std::string line; std::getline(file, line);) {
    line = line.substr(0, line.find("//"));
    std::smatch match;
    if (std::regex_search(line, match, opening)) {
      // A oneof's fields belong to the message around it.
      scopes.emplace_back(match[1] == "oneof" ? "message" : match[1].str(),
                          match[1] == "oneof" ? scopes.back().second : match[2].str());
    } else if (line.find('}') != std::string::npos && !scopes.empty()) {
      scopes.pop_back();
    } else if (!scopes.empty() && scopes.back().first == "enum" &&
               std::regex_search(line, match, enumerator)) {
      schema.enums[scopes.back().second][match[1]] = std::stoi(match[2]);
    } else if (!scopes.empty() && scopes.back().first == "message" && std::regex_search(line, match, field)) {
      schema.messages[scopes.back().second][match[2]] = {match[1],
                                                         static_cast<uint32_t>(std::stoul(match[3]))};
    }
  }
  return schema;
}

class Fields : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef ONNX_PROTO_PATH
    std::ifstream file(ONNX_PROTO_PATH);
    ASSERT_TRUE(file) << "cannot read " << ONNX_PROTO_PATH;
    schema_ = parse(file);
#else
    FAIL()
        << "onnx-ml.proto was not found when the build was configured: run ./dev setup, then configure again";
#endif
  }
  Schema schema_;
};

TEST_F(Fields, HaveTheNumbersAndTypesOfTheProto) {
  for (const FieldRow& row : field_table) {
    SCOPED_TRACE(std::string(row.message) + "." + std::string(row.name));
    const auto& message = schema_.messages[std::string(row.message)];
    const auto found = message.find(std::string(row.name));
    ASSERT_NE(found, message.end());
    EXPECT_EQ(found->second.number, row.number);
    EXPECT_EQ(found->second.type, row.type);
  }
}

TEST_F(Fields, DataTypesAreAllThoseOfTheProto) {
  const auto& proto = schema_.enums["DataType"];
  EXPECT_GE(proto.size(), 27u);
  for (const auto& [name, code] : proto) EXPECT_EQ(data_type_name(code), name);
}

TEST_F(Fields, AttributeTypesAreAllThoseOfTheProto) {
  const auto& proto = schema_.enums["AttributeType"];
  EXPECT_EQ(proto.size(), 15u);
  for (const auto& [name, code] : proto)
    EXPECT_EQ(attribute_type_name(static_cast<AttributeType>(code)), name);
}

TEST_F(Fields, ExternalIsTheNumberOfTheProto) {
  EXPECT_EQ(schema_.enums["DataLocation"]["EXTERNAL"], location_external);
}

TEST(DataTypes, MapToOurTypesByName) {
  const std::map<std::string_view, DType> ours = {
      {"FLOAT", DType::f32},   {"FLOAT16", DType::f16}, {"BFLOAT16", DType::bf16}, {"DOUBLE", DType::f64},
      {"INT8", DType::i8},     {"INT16", DType::i16},   {"INT32", DType::i32},     {"INT64", DType::i64},
      {"UINT8", DType::u8},    {"UINT16", DType::u16},  {"UINT32", DType::u32},    {"UINT64", DType::u64},
      {"BOOL", DType::boolean}};
  int known = 0;
  for (int code = -2; code < 100; ++code) {
    const auto found = ours.find(data_type_name(code));
    ASSERT_EQ(dtype_of(code).has_value(), found != ours.end()) << code;
    if (found == ours.end()) continue;
    EXPECT_EQ(*dtype_of(code), found->second);
    ++known;
  }
  EXPECT_EQ(known, dtype_count);
}

}  // namespace
}  // namespace burnish::onnx
