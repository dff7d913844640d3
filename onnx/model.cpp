#include "onnx/model.h"

#include "onnx/fields.h"

namespace burnish::onnx {

std::string_view data_type_name(int32_t code) {
  switch (code) {
#define BURNISH_TYPE_NAME(name, number, dtype) \
  case number: return #name;
    BURNISH_ONNX_DATA_TYPES(BURNISH_TYPE_NAME)
#undef BURNISH_TYPE_NAME
  }
  return "unknown type";
}

std::optional<DType> dtype_of(int32_t code) {
  switch (code) {
#define BURNISH_TYPE_CODE(name, number, dtype) \
  case number: return dtype;
    BURNISH_ONNX_DATA_TYPES(BURNISH_TYPE_CODE)
#undef BURNISH_TYPE_CODE
  }
  return std::nullopt;
}

std::string in_quotes(std::string_view name) {
  constexpr size_t longest = 200;
  std::string text = "'";
  for (char c : name.substr(0, longest)) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text + (name.size() > longest ? "…'" : "'");
}

std::string_view type_kind_name(TypeKind kind) {
  constexpr std::string_view names[] = {"absent", "tensor",   "sparse tensor", "sequence",
                                        "map",    "optional", "opaque"};
  return names[static_cast<size_t>(kind)];
}

std::string_view attribute_type_name(AttributeType type) {
  constexpr std::string_view names[] = {
      "UNDEFINED", "FLOAT",   "INT",    "STRING",        "TENSOR",         "GRAPH",      "FLOATS",     "INTS",
      "STRINGS",   "TENSORS", "GRAPHS", "SPARSE_TENSOR", "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"};
  return names[static_cast<size_t>(type)];
}

const Attribute* Node::attribute(std::string_view attribute_name) const {
  for (const Attribute& candidate : attributes)
    if (candidate.name == attribute_name) return &candidate;
  return nullptr;
}

std::string Node::describe() const {
  if (!name.empty()) return in_quotes(name) + " (" + op_type + ")";
  for (const std::string& output : outputs)
    if (!output.empty()) return op_type + " that makes " + in_quotes(output);
  return "a " + op_type + " without name and outputs";
}

}  // namespace burnish::onnx
