#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "base/result.h"

struct CUstream_st;

/// What we use of cuBLASLt, declared as its header does (cublaslt_header_test.cpp compares), so that no header of it is needed.
namespace burnish::cublaslt {

using Handle = struct HandleContext*;
using Descriptor = struct DescriptorContext*;  // of a product, a matrix or a preference

inline constexpr int success = 0;
inline constexpr int32_t operation_n = 0, operation_t = 1;
inline constexpr int compute_f32 = 68, compute_tf32 = 77;
inline constexpr int real_f32 = 0, real_f16 = 2, real_bf16 = 14;
inline constexpr uint32_t epilogue_default = 1, epilogue_relu = 2, epilogue_bias = 4, epilogue_gelu = 32;

enum MatmulAttribute : int {
  matmul_transpose_a = 3,
  matmul_transpose_b = 4,
  matmul_epilogue = 7,
  matmul_bias_pointer = 8,
  matmul_bias_type = 26,
};
enum LayoutAttribute : int { layout_batch_count = 5, layout_batch_stride = 6 };
enum PreferenceAttribute : int {
  preference_workspace = 1,
  preference_alignment_a = 5,
  preference_alignment_b = 6,
  preference_alignment_c = 7,
  preference_alignment_d = 8,
};

struct Algorithm {
  uint64_t data[8] = {};
};
struct HeuristicResult {
  Algorithm algorithm;
  size_t workspace = 0;
  int state = 0;
  float waves = 0;
  int reserved[4] = {};
};

/// Every function that we call: our name, its symbol, its type.
#define BURNISH_CUBLASLT_FUNCTIONS(X)                                                                   \
  X(version, cublasLtGetVersion, size_t())                                                              \
  X(status_text, cublasLtGetStatusString, const char*(int))                                             \
  X(create, cublasLtCreate, int(Handle*))                                                               \
  X(destroy, cublasLtDestroy, int(Handle))                                                              \
  X(matmul_create, cublasLtMatmulDescCreate, int(Descriptor*, int, int))                                \
  X(matmul_destroy, cublasLtMatmulDescDestroy, int(Descriptor))                                         \
  X(matmul_set, cublasLtMatmulDescSetAttribute, int(Descriptor, int, const void*, size_t))              \
  X(layout_create, cublasLtMatrixLayoutCreate, int(Descriptor*, int, uint64_t, uint64_t, int64_t))      \
  X(layout_destroy, cublasLtMatrixLayoutDestroy, int(Descriptor))                                       \
  X(layout_set, cublasLtMatrixLayoutSetAttribute, int(Descriptor, int, const void*, size_t))            \
  X(preference_create, cublasLtMatmulPreferenceCreate, int(Descriptor*))                                \
  X(preference_destroy, cublasLtMatmulPreferenceDestroy, int(Descriptor))                               \
  X(preference_set, cublasLtMatmulPreferenceSetAttribute, int(Descriptor, int, const void*, size_t))    \
  X(heuristics, cublasLtMatmulAlgoGetHeuristic,                                                         \
    int(Handle, Descriptor, Descriptor, Descriptor, Descriptor, Descriptor, Descriptor, int,            \
        HeuristicResult*, int*))                                                                        \
  X(check, cublasLtMatmulAlgoCheck,                                                                     \
    int(Handle, Descriptor, Descriptor, Descriptor, Descriptor, Descriptor, const Algorithm*,           \
        HeuristicResult*))                                                                              \
  X(matmul, cublasLtMatmul,                                                                             \
    int(Handle, Descriptor, const void*, const void*, Descriptor, const void*, Descriptor, const void*, \
        const void*, Descriptor, void*, Descriptor, const Algorithm*, void*, size_t, ::CUstream_st*))

/// The library, opened at run time.
struct Functions {
  /// The copy that the process uses, else one from `directory` or the usual places. Error io_error when there is none.
  static Result<Functions> open(const std::string& directory);
  /// Error device_error "cublasLtMatmul: what the library says" unless `status` is success.
  Result<> check_status(int status, const char* call) const;
  /// "13.1.0".
  std::string version_text() const;

#define BURNISH_CUBLASLT_FUNCTION(field, symbol, ...) std::add_pointer_t<__VA_ARGS__> field = nullptr;
  BURNISH_CUBLASLT_FUNCTIONS(BURNISH_CUBLASLT_FUNCTION)
#undef BURNISH_CUBLASLT_FUNCTION
};

}  // namespace burnish::cublaslt
