#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>

#include "onnx/reader_testing.h"

namespace burnish::onnx {
namespace {

using namespace testing;

constexpr int f32 = 1, u8 = 2, i8 = 3, u16 = 4, i16 = 5, i32 = 6, i64 = 7, text = 8, boolean = 9, f16 = 10,
              f64 = 11, u32 = 12, u64 = 13, bf16 = 16, float8 = 17;

Result<Literal> read_literal(const std::string& literal, const std::string& folder = "") {
  Model model = TRY(read(model_of_initializer(literal), folder));
  return model.graph.initializers.at(0);
}

template <class T>
std::vector<T> values_of(const Result<Literal>& literal) {
  if (!literal) {
    ADD_FAILURE() << error_of(literal);
    return {};
  }
  const Tensor& payload = literal->payload;
  EXPECT_EQ(payload.byte_size() % sizeof(T), 0u);
  return std::vector<T>(payload.data<T>(), payload.data<T>() + payload.byte_size() / sizeof(T));
}

template <class T>
std::string raw_of(const std::vector<T>& values) {
  return bytes_field(fields::TensorProto::raw_data,
                     {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

TEST(ReaderLiteral, ReadsRawDataOfEveryType) {
  const std::vector<uint64_t> words = {0x0807060504030201u, 0xf8f7f6f5f4f3f2f1u};
  for (int code : {f32, u8, i8, u16, i16, i32, i64, f16, f64, u32, u64, bf16}) {
    const int64_t count = static_cast<int64_t>(16 / size_of(*dtype_of(code)));
    const Result<Literal> literal = read_literal(tensor("w", code, {1, count}) + raw_of(words));
    ASSERT_EQ(values_of<uint64_t>(literal), words) << data_type_name(code);
    EXPECT_EQ(literal->payload.dtype(), dtype_of(code));
    EXPECT_EQ(literal->payload.shape(), (Shape{1, count}));
    EXPECT_EQ(literal->name, "w");
    EXPECT_EQ(literal->data_type, code);
  }
}

/// A literal with its values in typed field `field`, packed and then one by one; both must read the same.
template <class T, class Value, class Packed, class Loose>
void expect_typed(int code, uint32_t field, const std::vector<Value>& written, const std::vector<T>& expected,
                  Packed packed, Loose loose) {
  const std::string header = tensor("w", code, {static_cast<int64_t>(written.size())});
  const std::string packed_values =
      message([&](Writer& w) { (w.*packed)(field, written.begin(), written.end()); });
  const std::string loose_values = message([&](Writer& w) {
    for (Value value : written) (w.*loose)(field, value);
  });
  EXPECT_EQ(values_of<T>(read_literal(header + packed_values)), expected) << data_type_name(code);
  EXPECT_EQ(values_of<T>(read_literal(header + loose_values)), expected) << data_type_name(code);
  // Values may come before the type that says how to read them.
  EXPECT_EQ(values_of<T>(read_literal(packed_values + header)), expected) << data_type_name(code);
}

template <class T>
void expect_int32_data(int code, const std::vector<int32_t>& written, const std::vector<T>& expected) {
  expect_typed(code, fields::TensorProto::int32_data, written, expected,
               &Writer::add_packed_int32<std::vector<int32_t>::const_iterator>, &Writer::add_int32);
}

TEST(ReaderLiteral, ReadsTypedFields) {
  namespace t = fields::TensorProto;
  expect_typed<float>(f32, t::float_data, std::vector<float>{1.5f, -0.25f}, {1.5f, -0.25f},
                      &Writer::add_packed_float<std::vector<float>::const_iterator>, &Writer::add_float);
  expect_typed<double>(f64, t::double_data, std::vector<double>{1e300, -0.1}, {1e300, -0.1},
                       &Writer::add_packed_double<std::vector<double>::const_iterator>, &Writer::add_double);
  const std::vector<int64_t> wide = {-1, std::numeric_limits<int64_t>::min(), 5};
  expect_typed<int64_t>(i64, t::int64_data, wide, wide,
                        &Writer::add_packed_int64<std::vector<int64_t>::const_iterator>, &Writer::add_int64);
  const std::vector<uint64_t> unsigned_wide = {std::numeric_limits<uint64_t>::max(), 0, 7};
  expect_typed<uint64_t>(u64, t::uint64_data, unsigned_wide, unsigned_wide,
                         &Writer::add_packed_uint64<std::vector<uint64_t>::const_iterator>,
                         &Writer::add_uint64);
  expect_typed<uint32_t>(u32, t::uint64_data, std::vector<uint64_t>{4294967295u, 1}, {4294967295u, 1},
                         &Writer::add_packed_uint64<std::vector<uint64_t>::const_iterator>,
                         &Writer::add_uint64);
  expect_int32_data<int32_t>(i32, {-5, 2147483647}, {-5, 2147483647});
  expect_int32_data<int16_t>(i16, {-5, 32767}, {-5, 32767});
  expect_int32_data<uint16_t>(u16, {65535, 3}, {65535, 3});
  expect_int32_data<int8_t>(i8, {-128, 127}, {-128, 127});
  expect_int32_data<uint8_t>(u8, {255, 0}, {255, 0});
  expect_int32_data<uint16_t>(f16, {0x3c00, 0xc000}, {0x3c00, 0xc000});
  expect_int32_data<uint16_t>(bf16, {0x3f80, 0xbf80}, {0x3f80, 0xbf80});
  expect_int32_data<uint8_t>(boolean, {1, 0, 256}, {1, 0, 1});
}

TEST(ReaderLiteral, BoolsBecomeZeroOrOne) {
  EXPECT_EQ(values_of<uint8_t>(
                read_literal(tensor("m", boolean, {4}) + raw_of(std::vector<uint8_t>{0, 1, 2, 255}))),
            (std::vector<uint8_t>{0, 1, 1, 1}));
}

TEST(ReaderLiteral, ScalarsAndEmptyTensors) {
  EXPECT_EQ(values_of<float>(read_literal(tensor("s", f32, {}) + raw_of(std::vector<float>{2}))),
            (std::vector<float>{2}));
  const Result<Literal> empty =
      read_literal(tensor("e", f32, {3, 0, std::numeric_limits<int64_t>::max() / 100}));
  ASSERT_TRUE(empty) << error_of(empty);
  EXPECT_EQ(empty->payload.byte_size(), 0u);
}

TEST(ReaderLiteral, RawDataStaysInPlace) {
  const std::string first = tensor("a", u8, {3}) + raw_of(std::vector<uint8_t>{1, 2, 3});
  const std::string second = tensor("b", u8, {3}) + raw_of(std::vector<uint8_t>{4, 5, 6});
  const auto in_graph = [](const std::string& literal) {
    return bytes_field(fields::GraphProto::initializer, literal);
  };
  const std::string graph = in_graph(first) + in_graph(second);
  const Result<Model> model = read(model_of_graph(graph));
  ASSERT_TRUE(model) << error_of(model);
  const std::vector<Literal>& literals = model->graph.initializers;
  EXPECT_EQ(literals[1].payload.bytes() - literals[0].payload.bytes(),
            static_cast<ptrdiff_t>(in_graph(second).size()));
}

TEST(ReaderLiteral, MisalignedRawDataIsCopiedToWhereItsTypeMayBe) {
  const std::vector<double> values = {1.25, -3};
  for (size_t shift = 0; shift < 8; ++shift) {
    const Result<Literal> literal =
        read_literal(tensor("w" + std::string(shift, '_'), f64, {2}) + raw_of(values));
    ASSERT_TRUE(literal) << error_of(literal);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(literal->payload.bytes()) % alignof(double), 0u);
    EXPECT_EQ(std::memcmp(literal->payload.bytes(), values.data(), 16), 0);
  }
}

TEST(ReaderLiteral, TensorsOutliveTheirModel) {
  Tensor kept;
  {
    const Result<Literal> literal =
        read_literal(tensor("a", u8, {3}) + raw_of(std::vector<uint8_t>{1, 2, 3}));
    ASSERT_TRUE(literal);
    kept = literal->payload;
  }
  EXPECT_EQ(std::vector<uint8_t>(kept.data<uint8_t>(), kept.data<uint8_t>() + 3),
            (std::vector<uint8_t>{1, 2, 3}));
}

TEST(ReaderLiteral, TypesWithoutTensorAreLeftToTheOneWhoUsesThem) {
  for (int code : {text, float8, 0, 77}) {
    const Result<Literal> literal =
        read_literal(tensor("s", code, {2}) + raw_of(std::vector<uint8_t>{1, 2, 3}));
    ASSERT_TRUE(literal) << error_of(literal);
    EXPECT_EQ(literal->dtype, std::nullopt);
    EXPECT_EQ(literal->data_type, code);
    EXPECT_EQ(literal->payload.bytes(), nullptr);
  }
}

TEST(ReaderLiteral, SaysWhatIsWrongWithATensor) {
  const std::string six = raw_of(std::vector<float>(6));
  EXPECT_EQ(error_of(read_literal(tensor("w", f32, {2, -3}) + six)),
            std::string("tensor 'w' (FLOAT [2, -3]) has a negative extent") + damaged_remedy);
  EXPECT_EQ(
      error_of(read_literal(tensor("w", f32, {1ll << 40, 1ll << 40}) + six)),
      std::string("tensor 'w' (FLOAT [1099511627776, 1099511627776]) has more bytes than can be addressed") +
          damaged_remedy);
  EXPECT_EQ(error_of(read_literal(tensor("w", f32, {0, 1ll << 40, 1ll << 40}))),
            std::string(
                "tensor 'w' (FLOAT [0, 1099511627776, 1099511627776]) has more bytes than can be addressed") +
                damaged_remedy);
  EXPECT_EQ(
      error_of(read_literal(tensor("w", f32, {2, 2}) + six)),
      std::string("tensor 'w' (FLOAT [2, 2]) needs 16 bytes, but its raw_data has 24") + damaged_remedy);
  EXPECT_EQ(
      error_of(read_literal(tensor("w", f32, {1ll << 50}) + six)),
      std::string(
          "tensor 'w' (FLOAT [1125899906842624]) needs 4503599627370496 bytes, but its raw_data has 24") +
          damaged_remedy);
  EXPECT_EQ(
      error_of(read_literal(tensor("", i64, {1ll << 50}))),
      std::string("an unnamed tensor (INT64 [1125899906842624]) needs 1125899906842624 values, but has 0") +
          damaged_remedy);
  EXPECT_EQ(error_of(read_literal(tensor("w", f32, {6}) + six +
                                  bytes_field(fields::TensorProto::float_data, "1234"))),
            std::string("tensor 'w' (FLOAT [6]) has its values twice") + damaged_remedy);
  EXPECT_EQ(error_of(read_literal(tensor("w", f32, {6}) + bytes_field(fields::TensorProto::segment, ""))),
            "tensor 'w' (FLOAT [6]) is a segment of a larger one\nSave the model with whole tensors.");
}

class ExternalData : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "external_data_" + std::to_string(getpid());
    std::filesystem::create_directories(folder_ + "/model/sub");
    for (const char* name : {"/secret.bin", "/model/w.bin", "/model/sub/w.bin"}) {
      std::ofstream file(folder_ + name, std::ios::binary);
      for (float value : {0.f, 1.f, 2.f, 3.f}) file.write(reinterpret_cast<const char*>(&value), 4);
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  using Entries = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  Result<Literal> read_external(Entries entries, int64_t count = 2) const {
    return read_literal(external_tensor(tensor("w", f32, {count}), entries), folder_ + "/model");
  }
  std::string folder_;
};

TEST_F(ExternalData, IsReadWhereItSays) {
  EXPECT_EQ(values_of<float>(read_external({{"location", "w.bin"}})), (std::vector<float>{0, 1}));
  EXPECT_EQ(values_of<float>(read_external(
                {{"location", "sub/w.bin"}, {"offset", "8"}, {"length", "8"}, {"checksum", "00"}})),
            (std::vector<float>{2, 3}));
  EXPECT_EQ(values_of<float>(read_external({{"location", "./w.bin"}, {"offset", "3"}}, 0)),
            (std::vector<float>{}));
}

TEST_F(ExternalData, IsSoughtBesideTheModelFile) {
  const std::string path = folder_ + "/model/m.onnx";
  std::ofstream(path, std::ios::binary) << model_of_initializer(
      external_tensor(tensor("w", f32, {1}), {{"location", "w.bin"}, {"offset", "4"}}));
  const Result<Model> model = read_file(path);
  ASSERT_TRUE(model) << error_of(model);
  EXPECT_EQ(*model->graph.initializers.at(0).payload.data<float>(), 1.f);
}

TEST_F(ExternalData, IsMappedOnceAndNotCopied) {
  std::string graph;
  for (const char* offset : {"4", "12"})
    graph += bytes_field(fields::GraphProto::initializer,
                         external_tensor(tensor("w", f32, {1}), {{"location", "w.bin"}, {"offset", offset}}));
  const Result<Model> model = read(model_of_graph(graph), folder_ + "/model");
  ASSERT_TRUE(model) << error_of(model);
  const std::vector<Literal>& literals = model->graph.initializers;
  EXPECT_EQ(literals.at(1).payload.bytes() - literals.at(0).payload.bytes(), 8);
}

TEST_F(ExternalData, MayBeAnywhereInALargeFile) {
  const std::string path = folder_ + "/model/large.bin";
  const int64_t offset = 5'000'000'000;
  {
    std::ofstream file(path, std::ios::binary);
    file.seekp(offset);
    const float value = 42;
    file.write(reinterpret_cast<const char*>(&value), 4);
    ASSERT_TRUE(file);
  }
  EXPECT_EQ(
      values_of<float>(read_external({{"location", "large.bin"}, {"offset", std::to_string(offset)}}, 1)),
      (std::vector<float>{42}));
}

TEST_F(ExternalData, OutsideTheModelsFolderIsRefused) {
  for (const std::string& location : {std::string("../secret.bin"), folder_ + "/secret.bin",
                                      std::string("sub/../../secret.bin"), std::string(".."), std::string()})
    EXPECT_EQ(error_of(read_external({{"location", location}})),
              "tensor 'w' (FLOAT [2]) keeps its values in '" + location +
                  "', which is not a path below the model's folder\n"
                  "Save the model again with its external data in its own folder.");
  EXPECT_EQ(
      error_of(read_external({{"location", std::string_view("w.bin\0x", 7)}})),
      "tensor 'w' (FLOAT [2]) keeps its values in 'w.bin?x', which is not a path below the model's folder\n"
      "Save the model again with its external data in its own folder.");
  EXPECT_EQ(error_of(read_external({})),
            "tensor 'w' (FLOAT [2]) keeps its values in '', which is not a path below the model's folder\n"
            "Save the model again with its external data in its own folder.");
}

TEST_F(ExternalData, ThatIsNotThereIsNamed) {
  const std::string remedy = "\nPut the external data files that came with the model beside it.";
  const std::string model = folder_ + "/model/";
  EXPECT_EQ(error_of(read_external({{"location", "no.bin"}})),
            "tensor 'w' (FLOAT [2]) keeps its values in 'no.bin': cannot open '" + model +
                "no.bin': No such file or directory" + remedy);
  EXPECT_EQ(
      error_of(read_external({{"location", "sub"}})),
      "tensor 'w' (FLOAT [2]) keeps its values in 'sub': '" + model + "sub' is not a regular file" + remedy);
  ASSERT_EQ(mkfifo((model + "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of(read_external({{"location", "pipe"}})),
            "tensor 'w' (FLOAT [2]) keeps its values in 'pipe': '" + model + "pipe' is not a regular file" +
                remedy);
  EXPECT_EQ(error_of(read_literal(external_tensor(tensor("w", f32, {2}), {{"location", "w.bin"}}))),
            "tensor 'w' (FLOAT [2]) keeps its values in 'w.bin', but the model was given without a folder to "
            "seek it in\n"
            "Give the model's folder, or read the model from its file.");
}

TEST_F(ExternalData, OutsideItsFileIsRefused) {
  const std::string remedy =
      "\nThe external data file is cut short or belongs to another model: download or save both again.";
  EXPECT_EQ(error_of(read_external({{"location", "w.bin"}, {"offset", "12"}})),
            "tensor 'w' (FLOAT [2]) needs 8 bytes from byte 12 of 'w.bin', which has 16" + remedy);
  EXPECT_EQ(error_of(read_external({{"location", "w.bin"}, {"offset", "18446744073709551615"}})),
            "tensor 'w' (FLOAT [2]) needs 8 bytes from byte 18446744073709551615 of 'w.bin', which has 16" +
                remedy);
  EXPECT_EQ(error_of(read_external({{"location", "w.bin"}}, 5)),
            "tensor 'w' (FLOAT [5]) needs 20 bytes from byte 0 of 'w.bin', which has 16" + remedy);
  std::ofstream{folder_ + "/model/empty.bin"};
  EXPECT_EQ(error_of(read_external({{"location", "empty.bin"}})),
            "tensor 'w' (FLOAT [2]) needs 8 bytes from byte 0 of 'empty.bin', which has 0" + remedy);
}

TEST_F(ExternalData, WithWrongNumbersIsRefused) {
  EXPECT_EQ(error_of(read_external({{"location", "w.bin"}, {"length", "12"}})),
            std::string("tensor 'w' (FLOAT [2]) needs 8 bytes, but its external data in 'w.bin' has 12") +
                damaged_remedy);
  for (const std::string number : {"", "-4", "4x", "99999999999999999999"})
    EXPECT_EQ(error_of(read_external({{"location", "w.bin"}, {"offset", number}})),
              "tensor 'w' (FLOAT [2]) has external data with offset '" + number +
                  "', which is no number of bytes" + damaged_remedy);
}

}  // namespace
}  // namespace burnish::onnx
