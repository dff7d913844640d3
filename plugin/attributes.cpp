#include "plugin/attributes.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace burnish::plugin {

namespace {

using Json = nlohmann::ordered_json;

/// Bytes as text: two digits each.
std::string hex_of(std::span<const std::byte> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte b : bytes) {
    text += digits[static_cast<unsigned>(b) >> 4];
    text += digits[static_cast<unsigned>(b) & 15];
  }
  return text;
}
std::string hex_of(std::string_view text) { return hex_of(std::as_bytes(std::span(text))); }

/// Throws std::invalid_argument for text that is none.
std::string bytes_from(const std::string& hex) {
  if (hex.size() % 2 != 0) throw std::invalid_argument("an odd number of digits");
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    if (error != std::errc() || end != hex.data() + i + 2)
      throw std::invalid_argument("no hexadecimal digits");
    bytes += static_cast<char>(value);
  }
  return bytes;
}

// JSON has no infinities, and its numbers are decimal: a float is its shortest text.
std::string float_text(float value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}
float float_from(const std::string& text) {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) throw std::invalid_argument("no number");
  return value;
}

/// A string as it is where JSON can hold it, else as {"hex": …}.
Json string_json(const std::string& text) {
  const bool plain = std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 127; });
  return plain ? Json(text) : Json{{"hex", hex_of(text)}};
}
std::string string_from(const Json& json) {
  return json.is_string() ? json.get<std::string>() : bytes_from(json.at("hex"));
}

Json value_of(const Attribute& a) {
  Json list = Json::array();
  switch (a.kind) {
    case BURNISH_ATTRIBUTE_FLOAT:
    case BURNISH_ATTRIBUTE_FLOATS:
      for (float v : a.floats) list.push_back(float_text(v));
      return list;
    case BURNISH_ATTRIBUTE_INT:
    case BURNISH_ATTRIBUTE_INTS:
      for (int64_t v : a.ints) list.push_back(v);
      return list;
    case BURNISH_ATTRIBUTE_STRING:
    case BURNISH_ATTRIBUTE_STRINGS:
      for (const std::string& v : a.strings) list.push_back(string_json(v));
      return list;
    case BURNISH_ATTRIBUTE_TENSOR: break;
  }
  return {{"dtype", std::string(name_of(a.tensor.dtype()))},
          {"shape", a.tensor.shape()},
          {"hex", hex_of({a.tensor.bytes(), a.tensor.byte_size()})}};
}

Tensor tensor_from(const Json& json) {
  const auto dtype = dtype_from_name(json.at("dtype").get<std::string>());
  const auto shape = json.at("shape").get<Shape>();
  const std::string bytes = bytes_from(json.at("hex"));
  size_t room = dtype ? size_of(*dtype) : 0;
  for (int64_t extent : shape)
    if (extent < 0 || (extent > 0 && room > bytes.size() / static_cast<size_t>(extent)))
      throw std::invalid_argument("a tensor of another size");
    else room *= static_cast<size_t>(extent);
  if (!dtype || room != bytes.size() || shape.size() > BURNISH_MAX_RANK)
    throw std::invalid_argument("a tensor of another size");
  return Tensor::of<char>(*dtype, shape, bytes);
}

Attribute attribute_from(const Json& json) {
  Attribute a{.name = json.at("name").get<std::string>(),
              .kind = static_cast<burnish_attribute_kind>(json.at("kind").get<int>())};
  const Json& value = json.at("value");
  switch (a.kind) {
    case BURNISH_ATTRIBUTE_FLOAT:
    case BURNISH_ATTRIBUTE_FLOATS:
      for (const Json& v : value) a.floats.push_back(float_from(v.get<std::string>()));
      return a;
    case BURNISH_ATTRIBUTE_INT:
    case BURNISH_ATTRIBUTE_INTS: a.ints = value.get<std::vector<int64_t>>(); return a;
    case BURNISH_ATTRIBUTE_STRING:
    case BURNISH_ATTRIBUTE_STRINGS:
      for (const Json& v : value) a.strings.push_back(string_from(v));
      return a;
    case BURNISH_ATTRIBUTE_TENSOR: a.tensor = tensor_from(value); return a;
  }
  throw std::invalid_argument("an unknown kind");
}

Error malformed(std::string what) {
  return Error(Code::invalid_argument, "an attribute that it gives is malformed: " + std::move(what))
      .remedy("see burnish_attribute in burnish_plugin.h");
}

Result<Attribute> copy_of(const burnish_attribute& given) {
  if (!given.name) return malformed("it has no name");
  Attribute a{.name = given.name, .kind = given.kind};
  const bool missing = given.count > 0;
  switch (given.kind) {
    case BURNISH_ATTRIBUTE_FLOAT:
    case BURNISH_ATTRIBUTE_FLOATS:
      if (missing && !given.floats) return malformed("'" + a.name + "' has no floats");
      a.floats.assign(given.floats, given.floats + given.count);
      return a;
    case BURNISH_ATTRIBUTE_INT:
    case BURNISH_ATTRIBUTE_INTS:
      if (missing && !given.ints) return malformed("'" + a.name + "' has no ints");
      a.ints.assign(given.ints, given.ints + given.count);
      return a;
    case BURNISH_ATTRIBUTE_STRING:
    case BURNISH_ATTRIBUTE_STRINGS:
      if (missing && !given.strings) return malformed("'" + a.name + "' has no strings");
      for (size_t i = 0; i < given.count; ++i)
        if (given.string_sizes) a.strings.emplace_back(given.strings[i], given.string_sizes[i]);
        else a.strings.emplace_back(given.strings[i]);
      return a;
    case BURNISH_ATTRIBUTE_TENSOR: break;
  }
  if (given.kind != BURNISH_ATTRIBUTE_TENSOR) return malformed("'" + a.name + "' is of no kind");
  const burnish_tensor* t = given.tensor;
  if (!t || t->rank < 0 || t->rank > BURNISH_MAX_RANK || t->dtype < 0 || t->dtype >= dtype_count)
    return malformed("'" + a.name + "' has no tensor");
  const Shape shape(t->shape, t->shape + t->rank);
  const auto dtype = static_cast<DType>(t->dtype);
  const size_t bytes = static_cast<size_t>(element_count(shape)) * size_of(dtype);
  if (bytes > 0 && !t->data) return malformed("the tensor of '" + a.name + "' has no data");
  a.tensor = Tensor::of<std::byte>(dtype, shape, {static_cast<const std::byte*>(t->data), bytes});
  return a;
}

}  // namespace

std::string text_of(const std::vector<Attribute>& attributes) {
  Json json = Json::array();
  for (const Attribute& a : attributes)
    json.push_back({{"name", a.name}, {"kind", static_cast<int>(a.kind)}, {"value", value_of(a)}});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::vector<Attribute>> attributes_from(std::string_view text) {
  const auto refuse = [](const std::string& why) {
    return Error(Code::incompatible_engine, "the attributes of a plugin's node cannot be read: " + why)
        .remedy("build the engine again with this version of Burnish");
  };
  try {
    std::vector<Attribute> attributes;
    for (const Json& one : Json::parse(text)) attributes.push_back(attribute_from(one));
    return attributes;
  } catch (const nlohmann::json::exception& error) {
    return refuse(error.what());
  } catch (const std::invalid_argument& error) {
    return refuse(error.what());
  }
}

Result<std::vector<Attribute>> copies_of(std::span<const burnish_attribute> attributes) {
  std::vector<Attribute> copies;
  for (const burnish_attribute& a : attributes) copies.push_back(TRY(copy_of(a)));
  return copies;
}

burnish_tensor view_of(const Tensor& tensor) {
  burnish_tensor view{.dtype = static_cast<burnish_dtype>(tensor.dtype()),
                      .rank = static_cast<int>(tensor.shape().size()),
                      .shape = {},
                      .data = const_cast<std::byte*>(tensor.bytes()),
                      .bytes = tensor.byte_size(),
                      .memory = BURNISH_HOST};
  std::ranges::copy(tensor.shape(), view.shape);
  return view;
}

AttributeViews::AttributeViews(const std::vector<Attribute>& attributes)
    : strings_(attributes.size()), tensors_(attributes.size()) {
  for (size_t i = 0; i < attributes.size(); ++i) {
    const Attribute& a = attributes[i];
    burnish_attribute& view = views_.emplace_back();
    for (const std::string& text : a.strings) {
      strings_[i].texts.push_back(text.c_str());
      strings_[i].sizes.push_back(text.size());
    }
    view.name = a.name.c_str();
    view.kind = a.kind;
    view.count = a.floats.size() + a.ints.size() + a.strings.size();
    view.floats = a.floats.data();
    view.ints = a.ints.data();
    view.strings = strings_[i].texts.data();
    view.string_sizes = strings_[i].sizes.data();
    if (a.kind != BURNISH_ATTRIBUTE_TENSOR) continue;
    tensors_[i] = view_of(a.tensor);
    view.tensor = &tensors_[i];
  }
}

}  // namespace burnish::plugin
