#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "base/tensor.h"

/// An ONNX model as written in its file: plain data, nothing checked against an operator's schema yet.
namespace burnish::onnx {

/// The spec's name and our type for an element type's ONNX code. "unknown type" for a code the spec does not have.
std::string_view data_type_name(int32_t code);
/// Empty for the types that Burnish has no tensors of: strings, complex numbers, floats of 8 bits and less.
std::optional<DType> dtype_of(int32_t code);

/// A name from a model, in quotes, fit for one line of a terminal: control characters and what exceeds 200 bytes left out.
std::string in_quotes(std::string_view name);

/// A tensor whose values are in the model: an initializer, or an attribute's value.
struct Literal {
  std::string name;
  int32_t data_type = 0;
  /// Empty: a type without Tensor; then `payload` is empty too, and using the tensor is what fails.
  std::optional<DType> dtype;
  Shape dims;
  /// Shape `dims`, aligned for its type. Bytes in the file are referenced where alignment allows.
  Tensor payload;
};

struct Dimension {
  /// Both empty: unknown, and not known to equal any other. Never negative.
  std::optional<int64_t> value;
  std::string param;
};

enum class TypeKind { absent, tensor, sparse_tensor, sequence, map, optional, opaque };
/// "tensor", "sequence", …: for messages.
std::string_view type_kind_name(TypeKind kind);

struct ValueInfo {
  std::string name;
  TypeKind kind = TypeKind::absent;
  /// Of tensors only.
  int32_t elem_type = 0;
  /// Empty: not even the rank is known.
  std::optional<std::vector<Dimension>> shape;
};

/// The spec's numbers.
enum class AttributeType : int32_t {
  undefined = 0,
  real = 1,
  integer = 2,
  text = 3,
  tensor = 4,
  graph = 5,
  reals = 6,
  integers = 7,
  texts = 8,
  tensors = 9,
  graphs = 10,
  sparse_tensor = 11,
  sparse_tensors = 12,
  type_proto = 13,
  type_protos = 14,
};
/// The spec's name: "FLOAT", "INTS", …
std::string_view attribute_type_name(AttributeType type);

struct Graph;

/// The members are named as in the spec; `type` says which of them counts.
struct Attribute {
  std::string name;
  /// Never undefined, unless the attribute has neither a type nor a value.
  AttributeType type = AttributeType::undefined;
  float f = 0;
  int64_t i = 0;
  std::string s;
  std::shared_ptr<const Literal> t;  ///< set when type is tensor and ref_attr_name is empty
  std::shared_ptr<const Graph> g;    ///< set when type is graph and ref_attr_name is empty
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  std::vector<Literal> tensors;
  std::vector<Graph> graphs;
  /// In a function's body: the value is that of the caller's attribute of this name.
  std::string ref_attr_name;
};

struct Node {
  std::string name;
  std::string op_type;
  std::string domain;
  std::string overload;
  /// "" stands for an optional one that is left out.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<Attribute> attributes;

  /// Null when the node has none of that name.
  const Attribute* attribute(std::string_view attribute_name) const;
  /// "'layer1.conv' (Conv)"; nodes without a name are told by their first output.
  std::string describe() const;
};

struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::vector<Literal> initializers;
  /// Names of sparse initializers, whose values are not read.
  std::vector<std::string> sparse_initializers;
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
  std::vector<ValueInfo> value_infos;
};

struct OpsetImport {
  std::string domain;
  int64_t version = 0;
};

struct Function {
  std::string domain;
  std::string name;
  std::string overload;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  /// Attributes without a default, then those with one.
  std::vector<std::string> attributes;
  std::vector<Attribute> attribute_protos;
  std::vector<Node> nodes;
  std::vector<OpsetImport> opset_imports;
};

/// Owns or shares everything it refers to; tensors keep the mapped files alive by themselves.
struct Model {
  int64_t ir_version = 0;
  std::string producer_name;
  std::string producer_version;
  std::vector<OpsetImport> opset_imports;
  Graph graph;
  std::vector<Function> functions;
  std::vector<std::pair<std::string, std::string>> metadata_props;
  /// What it was read from.
  MappedFile file;
};

}  // namespace burnish::onnx
