#pragma once

#include <cstdint>
#include <string_view>

/// The part of onnx-ml.proto that the reader knows: FIELD(message, field, number, type in the .proto).
/// A test compares every row with the .proto itself.
#define BURNISH_ONNX_FIELDS(FIELD)                              \
  FIELD(ModelProto, ir_version, 1, int64)                       \
  FIELD(ModelProto, producer_name, 2, string)                   \
  FIELD(ModelProto, producer_version, 3, string)                \
  FIELD(ModelProto, graph, 7, GraphProto)                       \
  FIELD(ModelProto, opset_import, 8, OperatorSetIdProto)        \
  FIELD(ModelProto, metadata_props, 14, StringStringEntryProto) \
  FIELD(ModelProto, functions, 25, FunctionProto)               \
  FIELD(OperatorSetIdProto, domain, 1, string)                  \
  FIELD(OperatorSetIdProto, version, 2, int64)                  \
  FIELD(StringStringEntryProto, key, 1, string)                 \
  FIELD(StringStringEntryProto, value, 2, string)               \
  FIELD(GraphProto, node, 1, NodeProto)                         \
  FIELD(GraphProto, name, 2, string)                            \
  FIELD(GraphProto, initializer, 5, TensorProto)                \
  FIELD(GraphProto, input, 11, ValueInfoProto)                  \
  FIELD(GraphProto, output, 12, ValueInfoProto)                 \
  FIELD(GraphProto, value_info, 13, ValueInfoProto)             \
  FIELD(GraphProto, sparse_initializer, 15, SparseTensorProto)  \
  FIELD(NodeProto, input, 1, string)                            \
  FIELD(NodeProto, output, 2, string)                           \
  FIELD(NodeProto, name, 3, string)                             \
  FIELD(NodeProto, op_type, 4, string)                          \
  FIELD(NodeProto, attribute, 5, AttributeProto)                \
  FIELD(NodeProto, domain, 7, string)                           \
  FIELD(NodeProto, overload, 8, string)                         \
  FIELD(AttributeProto, name, 1, string)                        \
  FIELD(AttributeProto, f, 2, float)                            \
  FIELD(AttributeProto, i, 3, int64)                            \
  FIELD(AttributeProto, s, 4, bytes)                            \
  FIELD(AttributeProto, t, 5, TensorProto)                      \
  FIELD(AttributeProto, g, 6, GraphProto)                       \
  FIELD(AttributeProto, floats, 7, float)                       \
  FIELD(AttributeProto, ints, 8, int64)                         \
  FIELD(AttributeProto, strings, 9, bytes)                      \
  FIELD(AttributeProto, tensors, 10, TensorProto)               \
  FIELD(AttributeProto, graphs, 11, GraphProto)                 \
  FIELD(AttributeProto, tp, 14, TypeProto)                      \
  FIELD(AttributeProto, type_protos, 15, TypeProto)             \
  FIELD(AttributeProto, type, 20, AttributeType)                \
  FIELD(AttributeProto, ref_attr_name, 21, string)              \
  FIELD(AttributeProto, sparse_tensor, 22, SparseTensorProto)   \
  FIELD(AttributeProto, sparse_tensors, 23, SparseTensorProto)  \
  FIELD(TensorProto, dims, 1, int64)                            \
  FIELD(TensorProto, data_type, 2, int32)                       \
  FIELD(TensorProto, segment, 3, Segment)                       \
  FIELD(TensorProto, float_data, 4, float)                      \
  FIELD(TensorProto, int32_data, 5, int32)                      \
  FIELD(TensorProto, int64_data, 7, int64)                      \
  FIELD(TensorProto, name, 8, string)                           \
  FIELD(TensorProto, raw_data, 9, bytes)                        \
  FIELD(TensorProto, double_data, 10, double)                   \
  FIELD(TensorProto, uint64_data, 11, uint64)                   \
  FIELD(TensorProto, external_data, 13, StringStringEntryProto) \
  FIELD(TensorProto, data_location, 14, DataLocation)           \
  FIELD(SparseTensorProto, values, 1, TensorProto)              \
  FIELD(ValueInfoProto, name, 1, string)                        \
  FIELD(ValueInfoProto, type, 2, TypeProto)                     \
  FIELD(TypeProto, tensor_type, 1, Tensor)                      \
  FIELD(TypeProto, sequence_type, 4, Sequence)                  \
  FIELD(TypeProto, map_type, 5, Map)                            \
  FIELD(TypeProto, opaque_type, 7, Opaque)                      \
  FIELD(TypeProto, sparse_tensor_type, 8, SparseTensor)         \
  FIELD(TypeProto, optional_type, 9, Optional)                  \
  FIELD(Tensor, elem_type, 1, int32)                            \
  FIELD(Tensor, shape, 2, TensorShapeProto)                     \
  FIELD(TensorShapeProto, dim, 1, Dimension)                    \
  FIELD(Dimension, dim_value, 1, int64)                         \
  FIELD(Dimension, dim_param, 2, string)                        \
  FIELD(FunctionProto, name, 1, string)                         \
  FIELD(FunctionProto, input, 4, string)                        \
  FIELD(FunctionProto, output, 5, string)                       \
  FIELD(FunctionProto, attribute, 6, string)                    \
  FIELD(FunctionProto, node, 7, NodeProto)                      \
  FIELD(FunctionProto, opset_import, 9, OperatorSetIdProto)     \
  FIELD(FunctionProto, domain, 10, string)                      \
  FIELD(FunctionProto, attribute_proto, 11, AttributeProto)     \
  FIELD(FunctionProto, overload, 13, string)

/// The element types of the .proto's TensorProto.DataType: TYPE(name, code, our type or std::nullopt).
#define BURNISH_ONNX_DATA_TYPES(TYPE)    \
  TYPE(UNDEFINED, 0, std::nullopt)       \
  TYPE(FLOAT, 1, DType::f32)             \
  TYPE(UINT8, 2, DType::u8)              \
  TYPE(INT8, 3, DType::i8)               \
  TYPE(UINT16, 4, DType::u16)            \
  TYPE(INT16, 5, DType::i16)             \
  TYPE(INT32, 6, DType::i32)             \
  TYPE(INT64, 7, DType::i64)             \
  TYPE(STRING, 8, std::nullopt)          \
  TYPE(BOOL, 9, DType::boolean)          \
  TYPE(FLOAT16, 10, DType::f16)          \
  TYPE(DOUBLE, 11, DType::f64)           \
  TYPE(UINT32, 12, DType::u32)           \
  TYPE(UINT64, 13, DType::u64)           \
  TYPE(COMPLEX64, 14, std::nullopt)      \
  TYPE(COMPLEX128, 15, std::nullopt)     \
  TYPE(BFLOAT16, 16, DType::bf16)        \
  TYPE(FLOAT8E4M3FN, 17, std::nullopt)   \
  TYPE(FLOAT8E4M3FNUZ, 18, std::nullopt) \
  TYPE(FLOAT8E5M2, 19, std::nullopt)     \
  TYPE(FLOAT8E5M2FNUZ, 20, std::nullopt) \
  TYPE(UINT4, 21, std::nullopt)          \
  TYPE(INT4, 22, std::nullopt)           \
  TYPE(FLOAT4E2M1, 23, std::nullopt)     \
  TYPE(FLOAT8E8M0, 24, std::nullopt)     \
  TYPE(UINT2, 25, std::nullopt)          \
  TYPE(INT2, 26, std::nullopt)

namespace burnish::onnx {

/// Field numbers by message: `fields::NodeProto::op_type`.
namespace fields {
#define BURNISH_FIELD_NUMBER(message, field, number, type) \
  namespace message {                                      \
  inline constexpr uint32_t field = number;                \
  }
BURNISH_ONNX_FIELDS(BURNISH_FIELD_NUMBER)
#undef BURNISH_FIELD_NUMBER
}  // namespace fields

struct FieldRow {
  std::string_view message;
  std::string_view name;
  uint32_t number;
  std::string_view type;
};
inline constexpr FieldRow field_table[] = {
#define BURNISH_FIELD_ROW(message, field, number, type) {#message, #field, number, #type},
    BURNISH_ONNX_FIELDS(BURNISH_FIELD_ROW)
#undef BURNISH_FIELD_ROW
};

/// TensorProto.DataLocation
inline constexpr int64_t location_external = 1;

}  // namespace burnish::onnx
