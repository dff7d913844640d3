// Our declarations of cuBLASLt against its header, where that is.
#if __has_include(<cublasLt.h>)
#include <cublasLt.h>

#include "runtime/libraries/cublaslt_functions.h"

namespace burnish::cublaslt {

static_assert(success == CUBLAS_STATUS_SUCCESS);
static_assert(operation_n == CUBLAS_OP_N && operation_t == CUBLAS_OP_T);
static_assert(compute_f32 == CUBLAS_COMPUTE_32F && compute_tf32 == CUBLAS_COMPUTE_32F_FAST_TF32);
static_assert(real_f32 == CUDA_R_32F && real_f16 == CUDA_R_16F && real_bf16 == CUDA_R_16BF);
static_assert(epilogue_default == CUBLASLT_EPILOGUE_DEFAULT && epilogue_bias == CUBLASLT_EPILOGUE_BIAS);
static_assert(epilogue_relu == CUBLASLT_EPILOGUE_RELU && epilogue_gelu == CUBLASLT_EPILOGUE_GELU);
static_assert((epilogue_relu | epilogue_bias) == CUBLASLT_EPILOGUE_RELU_BIAS);
static_assert((epilogue_gelu | epilogue_bias) == CUBLASLT_EPILOGUE_GELU_BIAS);
#define EXPECT_SAME(ours, theirs) static_assert(int{ours} == int{theirs})
EXPECT_SAME(matmul_transpose_a, CUBLASLT_MATMUL_DESC_TRANSA);
EXPECT_SAME(matmul_transpose_b, CUBLASLT_MATMUL_DESC_TRANSB);
EXPECT_SAME(matmul_epilogue, CUBLASLT_MATMUL_DESC_EPILOGUE);
EXPECT_SAME(matmul_bias_pointer, CUBLASLT_MATMUL_DESC_BIAS_POINTER);
EXPECT_SAME(matmul_bias_type, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE);
EXPECT_SAME(layout_batch_count, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT);
EXPECT_SAME(layout_batch_stride, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
EXPECT_SAME(preference_workspace, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
EXPECT_SAME(preference_alignment_a, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
EXPECT_SAME(preference_alignment_b, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
EXPECT_SAME(preference_alignment_c, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
EXPECT_SAME(preference_alignment_d, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);

static_assert(sizeof(Algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(HeuristicResult) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(HeuristicResult, workspace) ==
              offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(HeuristicResult, state) == offsetof(cublasLtMatmulHeuristicResult_t, state));

/// Functions of as many parameters, each of the same size.
template <class Ours, class Theirs>
constexpr bool same_form = false;
template <class R, class... A, class S, class... B>
  requires(sizeof...(A) == sizeof...(B))
constexpr bool same_form<R(A...), S(B...)> = sizeof(R) == sizeof(S) && ((sizeof(A) == sizeof(B)) && ...);
#define EXPECT_FORM(field, symbol, ...) static_assert(same_form<__VA_ARGS__, decltype(::symbol)>, #symbol);
BURNISH_CUBLASLT_FUNCTIONS(EXPECT_FORM)

}  // namespace burnish::cublaslt
#endif
