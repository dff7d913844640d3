#pragma once

#include <mutex>
#include <vector>

#include "base/dtype.h"
#include "runtime/libraries/cublaslt_functions.h"
#include "runtime/libraries/session.h"

namespace burnish::cublaslt {

inline constexpr std::string_view library_name = "cublaslt";

/// D = activation(alpha * op(A) op(B) + beta * C + bias), matrices by columns: D is m x n, A m x k, B k x n, before op.
/// Sums and alpha are FP32; all matrices are of one type. Operands: A, B, C if beta is not 0, D, bias and workspace if any.
struct Product {
  enum class Activation : uint8_t { none, relu, gelu };  // gelu: by tanh
  DType dtype = DType::f16;
  bool tf32 = false;
  bool transpose_a = false, transpose_b = false;
  int64_t m = 0, n = 0, k = 0;
  int64_t lda = 0, ldb = 0, ldd = 0;                            // C lies as D does
  int64_t batch = 1, stride_a = 0, stride_b = 0, stride_d = 0;  // elements from product to product
  float alpha = 1, beta = 0;
  bool bias = false;  // one element a row of D
  Activation activation = Activation::none;
  int64_t alignment = 16;  // bytes that every address is a multiple of
  // How: decided by the library's heuristics.
  std::string version;
  int64_t workspace = 0;
  Algorithm algorithm;
};

/// "13.1.0 w0 1-2f-0-3": version, workspace and algorithm; names a way to do a product.
std::string print_algorithm(const Product& product);
/// The reverse. False for a text that is none.
bool read_algorithm(std::string_view text, Product& product);
/// On one line, all of it; the version comes first.
std::string print(const Product& product);
/// Error incompatible_engine for a text that is none.
Result<Product> parse(std::string_view text);

class MatmulSession final : public Session {
 public:
  static Result<std::unique_ptr<MatmulSession>> open(const cuda::Device& device,
                                                     const std::string& directory);
  ~MatmulSession() override;
  std::string version() const override { return call_.version_text(); }
  /// An algorithm of another version of the library is replaced by the first that its heuristics propose, within the same workspace.
  Result<std::unique_ptr<Routine>> prepare(std::string_view text) override;
  /// The product under each of the best algorithms by the library's estimate, `most` at most, within `workspace` bytes.
  Result<std::vector<Product>> candidates(const Product& product, int most, int64_t workspace);

 private:
  friend class MatmulRoutine;
  MatmulSession(Functions functions, cuda::Device device, Handle handle)
      : call_(functions), device_(std::move(device)), handle_(handle) {}
  Functions call_;
  cuda::Device device_;
  Handle handle_;
  std::mutex turn_;  // a call sets the address of the bias in a descriptor
};

}  // namespace burnish::cublaslt
