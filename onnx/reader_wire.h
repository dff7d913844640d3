#pragma once

#include <cstdint>
#include <exception>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace burnish::onnx {

/// Where in the file reading has got to, for the message when it fails there.
struct Position {
  const char* begin = nullptr;
  const char* at = nullptr;
  std::string_view message = "ModelProto";
  /// 0: at a tag.
  uint32_t field = 0;
};

/// A field that is not encoded as its type in the .proto is.
struct WrongWireType : std::exception {
  const char* what() const noexcept override { return "the field has another type"; }
};

/// One protobuf message, field by field: `while (m.next()) switch (m.field()) …`. Every getter, or `skip`, is called once
/// per field. Like protozero, it throws on bytes that are not protobuf; unlike it, also on a field of the wrong type.
class Message {
 public:
  Message(Position& position, std::string_view type, protozero::data_view bytes)
      : position_(position), type_(type), reader_(bytes) {}

  bool next() {
    position_.message = type_;
    position_.field = 0;
    position_.at = reader_.data().data();
    if (!reader_.next()) return false;
    position_.field = reader_.tag();
    return true;
  }
  uint32_t field() const { return position_.field; }

  /// Valid as long as the file's bytes are.
  std::string_view view() {
    expect(protozero::pbf_wire_type::length_delimited);
    const protozero::data_view bytes = reader_.get_view();
    return {bytes.data(), bytes.size()};
  }
  std::string text() { return std::string(view()); }
  int64_t integer() {
    expect(protozero::pbf_wire_type::varint);
    return reader_.get_int64();
  }
  float real() {
    expect(protozero::pbf_wire_type::fixed32);
    return reader_.get_float();
  }
  Message message(std::string_view type) {
    const std::string_view bytes = view();
    return Message(position_, type, {bytes.data(), bytes.size()});
  }
  void skip() { reader_.skip(); }

  /// Calls sink(value) for each value of a repeated field, packed or not.
  template <class Sink>
  void integers(Sink&& sink) {
    if (packed())
      for (int64_t value : reader_.get_packed_int64()) sink(value);
    else sink(integer());
  }
  template <class Sink>
  void reals(Sink&& sink) {
    if (packed())
      for (float value : reader_.get_packed_float()) sink(value);
    else sink(real());
  }
  template <class Sink>
  void doubles(Sink&& sink) {
    if (packed()) {
      for (double value : reader_.get_packed_double()) sink(value);
    } else {
      expect(protozero::pbf_wire_type::fixed64);
      sink(reader_.get_double());
    }
  }

 private:
  bool packed() const { return reader_.wire_type() == protozero::pbf_wire_type::length_delimited; }
  void expect(protozero::pbf_wire_type type) const {
    if (reader_.wire_type() != type) throw WrongWireType();
  }

  Position& position_;
  std::string_view type_;
  protozero::pbf_reader reader_;
};

}  // namespace burnish::onnx
