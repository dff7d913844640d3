#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "base/result.h"

struct CUstream_st;

/// What we use of cuDNN's graph interface, declared as its header does (cudnn_header_test.cpp compares), so that no header of it
/// is needed.
namespace burnish::cudnn {

using Handle = struct HandleContext*;
using Descriptor = void*;

inline constexpr int success = 0;
inline constexpr int data_f32 = 0, data_f16 = 2, data_bf16 = 9;
inline constexpr int cross_correlation = 1;
inline constexpr int heuristics_mode_a = 3;

enum Kind : int {
  pointwise_descriptor = 0,
  convolution_descriptor = 1,
  engine_descriptor = 2,
  engine_configuration_descriptor = 3,
  heuristics_descriptor = 4,
  plan_descriptor = 5,
  knob_choice_descriptor = 7,
  convolution_operation_descriptor = 10,
  pointwise_operation_descriptor = 13,
  graph_descriptor = 15,
  variant_pack_descriptor = 16,
  tensor_descriptor = 17,
  matmul_descriptor = 18,
  matmul_operation_descriptor = 19,
  reduction_descriptor = 21,
  reduction_operation_descriptor = 22,
  device_descriptor = 38,
};
enum PointwiseMode : int {
  pointwise_add = 0,
  pointwise_multiply = 1,
  pointwise_divide = 6,
  pointwise_subtract = 9,
  pointwise_exp = 13,
  pointwise_log = 15,
  pointwise_relu = 100,
  pointwise_tanh = 101,
  pointwise_sigmoid = 102,
  pointwise_gelu = 104,
  pointwise_swish = 106,
  pointwise_gelu_tanh = 107,
};
enum ReductionMode : int {
  reduction_sum = 0,
  reduction_max = 3,
};
enum Attribute : int {
  pointwise_mode = 0,
  pointwise_precision = 1,
  pointwise_lower_clip = 3,
  pointwise_upper_clip = 4,
  convolution_type = 100,
  convolution_mode = 101,
  convolution_dilations = 102,
  convolution_strides = 103,
  convolution_post_paddings = 104,
  convolution_pre_paddings = 105,
  convolution_axes = 106,
  heuristics_mode = 200,
  heuristics_graph = 201,
  heuristics_results = 202,
  heuristics_device = 204,
  configuration_engine = 300,
  configuration_knobs = 302,
  plan_handle = 400,
  plan_configuration = 401,
  plan_workspace = 402,
  plan_json = 405,
  plan_device = 407,
  knob_choice_knob = 600,
  knob_choice_value = 601,
  convolution_operation_alpha = 700,
  convolution_operation_beta = 701,
  convolution_operation_form = 702,
  convolution_operation_w = 703,
  convolution_operation_x = 704,
  convolution_operation_y = 705,
  pointwise_operation_form = 750,
  pointwise_operation_x = 751,
  pointwise_operation_b = 752,
  pointwise_operation_y = 753,
  graph_handle = 800,
  graph_operations = 801,
  tensor_alignment = 900,
  tensor_data_type = 901,
  tensor_extents = 902,
  tensor_strides = 903,
  tensor_id = 906,
  tensor_is_virtual = 907,
  variant_ids = 1000,
  variant_pointers = 1001,
  variant_workspace = 1003,
  engine_graph = 1300,
  engine_index = 1301,
  engine_device = 1307,
  matmul_type = 1500,
  matmul_operation_a = 1520,
  matmul_operation_b = 1521,
  matmul_operation_c = 1522,
  matmul_operation_form = 1523,
  reduction_mode = 1600,
  reduction_type = 1601,
  reduction_operation_x = 1610,
  reduction_operation_y = 1611,
  reduction_operation_form = 1612,
  device_json = 2702,
};
enum AttributeType : int {
  type_handle = 0,
  type_data_type = 1,
  type_boolean = 2,
  type_int64 = 3,
  type_float = 4,
  type_double = 5,
  type_pointer = 6,
  type_convolution_mode = 7,
  type_heuristics_mode = 8,
  type_knob = 9,
  type_pointwise_mode = 14,
  type_descriptor = 15,
  type_reduction_mode = 18,
  type_char = 24,
};

/// Every function that we call: our name, its symbol, its type.
#define BURNISH_CUDNN_FUNCTIONS(X)                                                      \
  X(version, cudnnGetVersion, size_t())                                                 \
  X(status_text, cudnnGetErrorString, const char*(int))                                 \
  X(last_error, cudnnGetLastErrorString, void(char*, size_t))                           \
  X(create, cudnnCreate, int(Handle*))                                                  \
  X(destroy, cudnnDestroy, int(Handle))                                                 \
  X(set_stream, cudnnSetStream, int(Handle, ::CUstream_st*))                            \
  X(make, cudnnBackendCreateDescriptor, int(int, Descriptor*))                          \
  X(free, cudnnBackendDestroyDescriptor, int(Descriptor))                               \
  X(finalize, cudnnBackendFinalize, int(Descriptor))                                    \
  X(set, cudnnBackendSetAttribute, int(Descriptor, int, int, int64_t, const void*))     \
  X(get, cudnnBackendGetAttribute, int(Descriptor, int, int, int64_t, int64_t*, void*)) \
  X(execute, cudnnBackendExecute, int(Handle, Descriptor, Descriptor))

/// The library, opened at run time.
struct Functions {
  /// The copy that the process uses, else one from `directory` or the usual places. Error io_error when there is none.
  static Result<Functions> open(const std::string& directory);
  /// Error device_error "cudnnBackendExecute: what the library says" unless `status` is success.
  Result<> check_status(int status, const char* call) const;
  /// "9.19.0".
  std::string version_text() const;

#define BURNISH_CUDNN_FUNCTION(field, symbol, ...) std::add_pointer_t<__VA_ARGS__> field = nullptr;
  BURNISH_CUDNN_FUNCTIONS(BURNISH_CUDNN_FUNCTION)
#undef BURNISH_CUDNN_FUNCTION
};

}  // namespace burnish::cudnn
