// A cuBLASLt that multiplies FP32 matrices on the host when it is called. It proposes two algorithms, of which only those
// numbers are valid; with FAKE_VERSION another version of it is told apart.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <map>

#include "runtime/libraries/cublaslt_functions.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace burnish::cublaslt {

struct DescriptorContext {
  std::map<int, std::array<std::byte, 8>> attributes;
  int64_t rows = 0, columns = 0, ld = 0;
  template <class T>
  T get(int attribute, T otherwise) const {
    const auto found = attributes.find(attribute);
    if (found == attributes.end()) return otherwise;
    T value;
    std::memcpy(&value, found->second.data(), sizeof value);
    return value;
  }
};
struct HandleContext {};

}  // namespace burnish::cublaslt

using namespace burnish::cublaslt;

static int make(Descriptor* out) { return *out = new DescriptorContext, success; }
static int destroy(Descriptor d) { return delete d, success; }
static int set_attribute(Descriptor d, int attribute, const void* value, size_t bytes) {
  if (bytes > 8) return 7;
  std::memcpy(d->attributes[attribute].data(), value, bytes);
  return success;
}

EXPORT size_t cublasLtGetVersion() { return FAKE_VERSION; }
EXPORT const char* cublasLtGetStatusString(int status) {
  return status == 7 ? "an invalid value" : status == 15 ? "not supported" : "success";
}
EXPORT int cublasLtCreate(Handle* out) { return *out = new HandleContext, success; }
EXPORT int cublasLtDestroy(Handle h) { return delete h, success; }
EXPORT int cublasLtMatmulDescCreate(Descriptor* out, int compute, int scale) {
  return compute == compute_f32 && scale == real_f32 ? make(out) : 7;
}
EXPORT int cublasLtMatmulDescDestroy(Descriptor d) { return destroy(d); }
EXPORT int cublasLtMatmulDescSetAttribute(Descriptor d, int a, const void* v, size_t n) {
  return set_attribute(d, a, v, n);
}
EXPORT int cublasLtMatrixLayoutCreate(Descriptor* out, int type, uint64_t rows, uint64_t columns,
                                      int64_t ld) {
  if (type != real_f32 || ld < static_cast<int64_t>(rows)) return 7;
  make(out);
  (*out)->rows = static_cast<int64_t>(rows);
  (*out)->columns = static_cast<int64_t>(columns);
  (*out)->ld = ld;
  return success;
}
EXPORT int cublasLtMatrixLayoutDestroy(Descriptor d) { return destroy(d); }
EXPORT int cublasLtMatrixLayoutSetAttribute(Descriptor d, int a, const void* v, size_t n) {
  return set_attribute(d, a, v, n);
}
EXPORT int cublasLtMatmulPreferenceCreate(Descriptor* out) { return make(out); }
EXPORT int cublasLtMatmulPreferenceDestroy(Descriptor d) { return destroy(d); }
EXPORT int cublasLtMatmulPreferenceSetAttribute(Descriptor d, int a, const void* v, size_t n) {
  return set_attribute(d, a, v, n);
}

EXPORT int cublasLtMatmulAlgoGetHeuristic(Handle, Descriptor, Descriptor a, Descriptor, Descriptor,
                                          Descriptor, Descriptor preference, int most,
                                          HeuristicResult* results, int* count) {
  if (a->ld % 2 != 0) return 15;
  const uint64_t workspaces[] = {0, 512};
  *count = 0;
  for (uint64_t i = 0; i < 2 && *count < most; ++i)
    if (workspaces[i] <= preference->get<uint64_t>(preference_workspace, 0))
      results[(*count)++] = {{{FAKE_VERSION, i + 1}}, workspaces[i], success, 1, {}};
  return success;
}
EXPORT int cublasLtMatmulAlgoCheck(Handle, Descriptor, Descriptor, Descriptor, Descriptor, Descriptor,
                                   const Algorithm* algorithm, HeuristicResult*) {
  return algorithm->data[0] == FAKE_VERSION ? success : 15;
}

EXPORT int cublasLtMatmul(Handle, Descriptor product, const void* alpha, const void* a, Descriptor a_layout,
                          const void* b, Descriptor b_layout, const void* beta, const void* c, Descriptor,
                          void* d, Descriptor d_layout, const Algorithm* algorithm, void*, size_t workspace,
                          CUstream_st*) {
  if (algorithm->data[0] != FAKE_VERSION || (algorithm->data[1] == 2 && workspace < 512)) return 15;
  const auto scale = [](const void* p) { return *static_cast<const float*>(p); };
  const bool ta = product->get<int32_t>(matmul_transpose_a, 0),
             tb = product->get<int32_t>(matmul_transpose_b, 0);
  const auto epilogue = product->get<uint32_t>(matmul_epilogue, epilogue_default);
  const auto* bias = product->get<const float*>(matmul_bias_pointer, nullptr);
  const int64_t k = ta ? a_layout->rows : a_layout->columns;
  const auto of = [](const void* p, const DescriptorContext* layout, int64_t batch) {
    return static_cast<const float*>(p) + batch * layout->get<int64_t>(layout_batch_stride, 0);
  };
  for (int64_t i = 0; i < d_layout->get<int32_t>(layout_batch_count, 1); ++i) {
    const float *x = of(a, a_layout, i), *y = of(b, b_layout, i), *z = of(c, d_layout, i);
    auto* to = const_cast<float*>(of(d, d_layout, i));
    for (int64_t row = 0; row < d_layout->rows; ++row)
      for (int64_t column = 0; column < d_layout->columns; ++column) {
        float sum = 0;
        for (int64_t j = 0; j < k; ++j)
          sum += x[ta ? row * a_layout->ld + j : j * a_layout->ld + row] *
                 y[tb ? j * b_layout->ld + column : column * b_layout->ld + j];
        sum *= scale(alpha);
        const int64_t at = column * d_layout->ld + row;
        if (scale(beta) != 0) sum += scale(beta) * z[at];
        if (epilogue & epilogue_bias) sum += bias[row];
        to[at] = epilogue & epilogue_relu ? std::max(sum, 0.0f) : sum;
      }
  }
  return success;
}
