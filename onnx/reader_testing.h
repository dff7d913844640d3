#pragma once

#include <initializer_list>
#include <protozero/pbf_writer.hpp>
#include <span>
#include <string>
#include <vector>

#include "onnx/fields.h"
#include "onnx/reader.h"

/// Writes small ONNX files for tests of the reader.
namespace burnish::onnx::testing {

using Writer = protozero::pbf_writer;

/// A message's bytes; `fill` adds its fields.
template <class Fill>
std::string message(Fill&& fill) {
  std::string bytes;
  Writer writer(bytes);
  fill(writer);
  return bytes;
}

/// A TensorProto without values.
inline std::string tensor(std::string name, int32_t data_type, std::vector<int64_t> dims) {
  return message([&](Writer& w) {
    w.add_packed_int64(fields::TensorProto::dims, dims.begin(), dims.end());
    w.add_int32(fields::TensorProto::data_type, data_type);
    w.add_string(fields::TensorProto::name, name);
  });
}

/// A field of bytes, to append to a message.
inline std::string bytes_field(uint32_t field, std::string_view bytes) {
  return message([&](Writer& w) { w.add_bytes(field, bytes.data(), bytes.size()); });
}

inline std::string entry(std::string_view key, std::string_view value) {
  return bytes_field(fields::StringStringEntryProto::key, key) +
         bytes_field(fields::StringStringEntryProto::value, value);
}

/// A TensorProto whose values are elsewhere.
inline std::string external_tensor(
    const std::string& header, std::initializer_list<std::pair<std::string_view, std::string_view>> entries) {
  std::string bytes = header + message([](Writer& w) { w.add_enum(fields::TensorProto::data_location, 1); });
  for (const auto& [key, value] : entries)
    bytes += bytes_field(fields::TensorProto::external_data, entry(key, value));
  return bytes;
}

inline std::string model_of_graph(std::string_view graph) {
  return bytes_field(fields::ModelProto::graph, graph);
}
inline std::string model_of_initializer(std::string_view literal) {
  return model_of_graph(bytes_field(fields::GraphProto::initializer, literal));
}

inline Result<Model> read(std::string_view bytes, const std::string& folder = "") {
  return read_bytes(std::as_bytes(std::span(bytes.data(), bytes.size())), folder);
}

/// Cause and remedy, or "no error".
template <class T>
std::string error_of(const Result<T>& result) {
  return result ? "no error" : result.error().cause() + "\n" + result.error().remedy();
}

inline constexpr const char* damaged_remedy =
    "\nThe file is damaged or not an ONNX model: export or download it again.";

}  // namespace burnish::onnx::testing
