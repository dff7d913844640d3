// Our declarations of cuDNN against its header, where that is.
#if __has_include(<cudnn_graph.h>)
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <cudnn_graph.h>

#include "runtime/libraries/cudnn_functions.h"

namespace burnish::cudnn {

#define EXPECT_SAME(ours, theirs) static_assert(int{ours} == int{theirs})
EXPECT_SAME(success, CUDNN_STATUS_SUCCESS);
EXPECT_SAME(data_f32, CUDNN_DATA_FLOAT);
EXPECT_SAME(data_f16, CUDNN_DATA_HALF);
EXPECT_SAME(data_bf16, CUDNN_DATA_BFLOAT16);
EXPECT_SAME(cross_correlation, CUDNN_CROSS_CORRELATION);
EXPECT_SAME(heuristics_mode_a, CUDNN_HEUR_MODE_A);
EXPECT_SAME(pointwise_descriptor, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
EXPECT_SAME(convolution_descriptor, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
EXPECT_SAME(engine_configuration_descriptor, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
EXPECT_SAME(heuristics_descriptor, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
EXPECT_SAME(plan_descriptor, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
EXPECT_SAME(convolution_operation_descriptor, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
EXPECT_SAME(pointwise_operation_descriptor, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
EXPECT_SAME(graph_descriptor, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
EXPECT_SAME(variant_pack_descriptor, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
EXPECT_SAME(tensor_descriptor, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
EXPECT_SAME(pointwise_add, CUDNN_POINTWISE_ADD);
EXPECT_SAME(pointwise_multiply, CUDNN_POINTWISE_MUL);
EXPECT_SAME(pointwise_subtract, CUDNN_POINTWISE_SUB);
EXPECT_SAME(pointwise_relu, CUDNN_POINTWISE_RELU_FWD);
EXPECT_SAME(pointwise_tanh, CUDNN_POINTWISE_TANH_FWD);
EXPECT_SAME(pointwise_sigmoid, CUDNN_POINTWISE_SIGMOID_FWD);
EXPECT_SAME(pointwise_gelu, CUDNN_POINTWISE_GELU_FWD);
EXPECT_SAME(pointwise_swish, CUDNN_POINTWISE_SWISH_FWD);
EXPECT_SAME(pointwise_gelu_tanh, CUDNN_POINTWISE_GELU_APPROX_TANH_FWD);
EXPECT_SAME(pointwise_mode, CUDNN_ATTR_POINTWISE_MODE);
EXPECT_SAME(pointwise_precision, CUDNN_ATTR_POINTWISE_MATH_PREC);
EXPECT_SAME(pointwise_lower_clip, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP);
EXPECT_SAME(pointwise_upper_clip, CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP);
EXPECT_SAME(convolution_type, CUDNN_ATTR_CONVOLUTION_COMP_TYPE);
EXPECT_SAME(convolution_mode, CUDNN_ATTR_CONVOLUTION_CONV_MODE);
EXPECT_SAME(convolution_dilations, CUDNN_ATTR_CONVOLUTION_DILATIONS);
EXPECT_SAME(convolution_strides, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES);
EXPECT_SAME(convolution_post_paddings, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
EXPECT_SAME(convolution_pre_paddings, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
EXPECT_SAME(convolution_axes, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS);
EXPECT_SAME(heuristics_mode, CUDNN_ATTR_ENGINEHEUR_MODE);
EXPECT_SAME(heuristics_graph, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
EXPECT_SAME(heuristics_results, CUDNN_ATTR_ENGINEHEUR_RESULTS);
EXPECT_SAME(plan_handle, CUDNN_ATTR_EXECUTION_PLAN_HANDLE);
EXPECT_SAME(plan_configuration, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
EXPECT_SAME(plan_workspace, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
EXPECT_SAME(plan_json, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
EXPECT_SAME(convolution_operation_alpha, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA);
EXPECT_SAME(convolution_operation_beta, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA);
EXPECT_SAME(convolution_operation_form, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC);
EXPECT_SAME(convolution_operation_w, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W);
EXPECT_SAME(convolution_operation_x, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X);
EXPECT_SAME(convolution_operation_y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
EXPECT_SAME(pointwise_operation_form, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR);
EXPECT_SAME(pointwise_operation_x, CUDNN_ATTR_OPERATION_POINTWISE_XDESC);
EXPECT_SAME(pointwise_operation_b, CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
EXPECT_SAME(pointwise_operation_y, CUDNN_ATTR_OPERATION_POINTWISE_YDESC);
EXPECT_SAME(graph_handle, CUDNN_ATTR_OPERATIONGRAPH_HANDLE);
EXPECT_SAME(graph_operations, CUDNN_ATTR_OPERATIONGRAPH_OPS);
EXPECT_SAME(tensor_alignment, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
EXPECT_SAME(tensor_data_type, CUDNN_ATTR_TENSOR_DATA_TYPE);
EXPECT_SAME(tensor_extents, CUDNN_ATTR_TENSOR_DIMENSIONS);
EXPECT_SAME(tensor_strides, CUDNN_ATTR_TENSOR_STRIDES);
EXPECT_SAME(tensor_id, CUDNN_ATTR_TENSOR_UNIQUE_ID);
EXPECT_SAME(tensor_is_virtual, CUDNN_ATTR_TENSOR_IS_VIRTUAL);
EXPECT_SAME(variant_ids, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
EXPECT_SAME(variant_pointers, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
EXPECT_SAME(variant_workspace, CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
EXPECT_SAME(type_handle, CUDNN_TYPE_HANDLE);
EXPECT_SAME(type_data_type, CUDNN_TYPE_DATA_TYPE);
EXPECT_SAME(type_boolean, CUDNN_TYPE_BOOLEAN);
EXPECT_SAME(type_int64, CUDNN_TYPE_INT64);
EXPECT_SAME(type_float, CUDNN_TYPE_FLOAT);
EXPECT_SAME(type_double, CUDNN_TYPE_DOUBLE);
EXPECT_SAME(type_pointer, CUDNN_TYPE_VOID_PTR);
EXPECT_SAME(type_convolution_mode, CUDNN_TYPE_CONVOLUTION_MODE);
EXPECT_SAME(type_heuristics_mode, CUDNN_TYPE_HEUR_MODE);
EXPECT_SAME(type_pointwise_mode, CUDNN_TYPE_POINTWISE_MODE);
EXPECT_SAME(type_descriptor, CUDNN_TYPE_BACKEND_DESCRIPTOR);
EXPECT_SAME(type_char, CUDNN_TYPE_CHAR);

/// Functions of as many parameters, each of the same size.
template <class Ours, class Theirs>
constexpr bool same_form = false;
template <class... A, class... B>
  requires(sizeof...(A) == sizeof...(B))
constexpr bool same_form<void(A...), void(B...)> = ((sizeof(A) == sizeof(B)) && ...);
template <class R, class... A, class S, class... B>
  requires(sizeof...(A) == sizeof...(B))
constexpr bool same_form<R(A...), S(B...)> = sizeof(R) == sizeof(S) && ((sizeof(A) == sizeof(B)) && ...);
#define EXPECT_FORM(field, symbol, ...) static_assert(same_form<__VA_ARGS__, decltype(::symbol)>, #symbol);
BURNISH_CUDNN_FUNCTIONS(EXPECT_FORM)

}  // namespace burnish::cudnn
#endif
