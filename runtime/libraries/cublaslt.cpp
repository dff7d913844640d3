#include "runtime/libraries/cublaslt.h"

#include "base/shared_library.h"
#include "runtime/libraries/owned_descriptor.h"
#include "runtime/libraries/usual_folders.h"

namespace burnish::cublaslt {

namespace {

int data_type(DType t) { return t == DType::f16 ? real_f16 : t == DType::bf16 ? real_bf16 : real_f32; }

using Owned = OwnedDescriptor<Descriptor>;

template <class T>
Result<> set(const Functions& call, decltype(Functions::matmul_set) setter, const Owned& descriptor,
             int attribute, T value) {
  return call.check_status(setter(descriptor.get(), attribute, &value, sizeof value), "setting an attribute");
}

/// What the library is told of a product.
struct Descriptors {
  Owned product, a, b, d;
};

Result<Owned> layout(const Functions& call, const Product& p, int64_t rows, int64_t columns, int64_t ld,
                     int64_t stride) {
  Descriptor made = nullptr;
  TRY(call.check_status(call.layout_create(&made, data_type(p.dtype), static_cast<uint64_t>(rows),
                                           static_cast<uint64_t>(columns), ld),
                        "cublasLtMatrixLayoutCreate"));
  Owned owned(made, call.layout_destroy);
  if (p.batch > 1) {
    TRY(set(call, call.layout_set, owned, layout_batch_count, static_cast<int32_t>(p.batch)));
    TRY(set(call, call.layout_set, owned, layout_batch_stride, stride));
  }
  return owned;
}

uint32_t epilogue_of(const Product& p) {
  const uint32_t activation = p.activation == Product::Activation::relu   ? epilogue_relu
                              : p.activation == Product::Activation::gelu ? epilogue_gelu
                                                                          : 0;
  const uint32_t all = activation | (p.bias ? epilogue_bias : 0);
  return all ? all : epilogue_default;
}

Result<Descriptors> describe(const Functions& call, const Product& p) {
  Descriptors made;
  Descriptor product = nullptr;
  TRY(call.check_status(call.matmul_create(&product, p.tf32 ? compute_tf32 : compute_f32, real_f32),
                        "cublasLtMatmulDescCreate"));
  made.product = Owned(product, call.matmul_destroy);
  TRY(set(call, call.matmul_set, made.product, matmul_transpose_a,
          p.transpose_a ? operation_t : operation_n));
  TRY(set(call, call.matmul_set, made.product, matmul_transpose_b,
          p.transpose_b ? operation_t : operation_n));
  TRY(set(call, call.matmul_set, made.product, matmul_epilogue, epilogue_of(p)));
  if (p.bias) TRY(set(call, call.matmul_set, made.product, matmul_bias_type, int32_t{data_type(p.dtype)}));
  made.a = TRY(layout(call, p, p.transpose_a ? p.k : p.m, p.transpose_a ? p.m : p.k, p.lda, p.stride_a));
  made.b = TRY(layout(call, p, p.transpose_b ? p.n : p.k, p.transpose_b ? p.k : p.n, p.ldb, p.stride_b));
  made.d = TRY(layout(call, p, p.m, p.n, p.ldd, p.stride_d));
  return made;
}

}  // namespace

class MatmulRoutine final : public Routine {
 public:
  MatmulRoutine(MatmulSession& session, Product product, Descriptors descriptors)
      : session_(session), product_(std::move(product)), descriptors_(std::move(descriptors)) {}

  Result<> enqueue(const cuda::Stream& stream, std::span<const CUdeviceptr> operands) const override {
    const Product& p = product_;
    const Functions& call = session_.call_;
    size_t next = 0;
    const auto operand = [&] { return reinterpret_cast<void*>(operands[next++]); };
    if (operands.size() != size_t{3} + (p.beta != 0) + p.bias + (p.workspace > 0))
      return Error(Code::incompatible_engine, "a product for cuBLASLt has another number of operands");
    void *a = operand(), *b = operand(), *c = p.beta != 0 ? operand() : nullptr, *d = operand();
    const std::lock_guard lock(session_.turn_);
    if (p.bias) TRY(set(call, call.matmul_set, descriptors_.product, matmul_bias_pointer, operand()));
    void* workspace = p.workspace > 0 ? operand() : nullptr;
    return call.check_status(
        call.matmul(session_.handle_, descriptors_.product.get(), &p.alpha, a, descriptors_.a.get(), b,
                    descriptors_.b.get(), &p.beta, c ? c : d, descriptors_.d.get(), d, descriptors_.d.get(),
                    &p.algorithm, workspace, static_cast<size_t>(p.workspace), stream.get()),
        "cublasLtMatmul");
  }

 private:
  MatmulSession& session_;
  Product product_;
  Descriptors descriptors_;
};

Result<Functions> Functions::open(const std::string& directory) {
  const SharedLibrary library = TRY(SharedLibrary::open(
      {.file = "libcublasLt.so.13",
       .what = "NVIDIA's library of matrix products",
       .remedy = "install the CUDA 13 toolkit or the PyPI package nvidia-cublas where the loader finds it "
                 "(LD_LIBRARY_PATH), or build the engine with --libraries none",
       .folders = usual_folders("cu13")},
      directory));
  Functions functions;
#define BURNISH_RESOLVE(field, symbol, ...) TRY(library.resolve(#symbol, functions.field));
  BURNISH_CUBLASLT_FUNCTIONS(BURNISH_RESOLVE)
#undef BURNISH_RESOLVE
  return functions;
}

Result<> Functions::check_status(int status, const char* name) const {
  if (status == success) return {};
  const char* text = status_text(status);
  return Error(Code::device_error,
               std::string(name) + ": " + (text ? text : "status " + std::to_string(status)));
}

std::string Functions::version_text() const {
  const size_t v = version();  // 130100
  return std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100) + "." + std::to_string(v % 100);
}

Result<std::unique_ptr<MatmulSession>> MatmulSession::open(const cuda::Device& device,
                                                           const std::string& directory) {
  const Functions call = TRY(Functions::open(directory));
  const cuda::ContextScope scope = TRY(device.enter());
  Handle handle = nullptr;
  TRY(call.check_status(call.create(&handle), "cublasLtCreate"));
  return std::unique_ptr<MatmulSession>(new MatmulSession(call, device, handle));
}

MatmulSession::~MatmulSession() {
  if (const auto scope = device_.enter()) call_.destroy(handle_);
}

Result<std::unique_ptr<Routine>> MatmulSession::prepare(std::string_view text) {
  const cuda::ContextScope scope = TRY(device_.enter());
  Product product = TRY(parse(text));
  if (product.version != version()) {
    const std::vector<Product> proposed = TRY(candidates(product, 1, product.workspace));
    if (proposed.empty())
      return Error(Code::unsupported, "cuBLASLt " + version() + " has no algorithm for a product that " +
                                          product.version + " had one for")
          .remedy("build the engine again where this version is, or with --libraries none");
    // The workspace stays an operand, used or not.
    product.algorithm = proposed.front().algorithm;
  }
  Descriptors descriptors = TRY(describe(call_, product));
  return std::unique_ptr<Routine>(new MatmulRoutine(*this, std::move(product), std::move(descriptors)));
}

Result<std::vector<Product>> MatmulSession::candidates(const Product& product, int most, int64_t workspace) {
  const cuda::ContextScope scope = TRY(device_.enter());
  const Descriptors made = TRY(describe(call_, product));
  Descriptor descriptor = nullptr;
  TRY(call_.check_status(call_.preference_create(&descriptor), "cublasLtMatmulPreferenceCreate"));
  const Owned preference(descriptor, call_.preference_destroy);
  TRY(set(call_, call_.preference_set, preference, preference_workspace, static_cast<uint64_t>(workspace)));
  for (int attribute :
       {preference_alignment_a, preference_alignment_b, preference_alignment_c, preference_alignment_d})
    TRY(set(call_, call_.preference_set, preference, attribute, static_cast<uint32_t>(product.alignment)));
  std::vector<HeuristicResult> results(static_cast<size_t>(most));
  int count = 0;
  const int status = call_.heuristics(handle_, made.product.get(), made.a.get(), made.b.get(), made.d.get(),
                                      made.d.get(), preference.get(), most, results.data(), &count);
  std::vector<Product> all;
  if (status != success) return all;  // it says so when it has none
  for (const HeuristicResult& result : std::span(results).first(static_cast<size_t>(count))) {
    if (result.state != success) continue;
    Product& one = all.emplace_back(product);
    one.version = version();
    one.workspace = static_cast<int64_t>(result.workspace);
    one.algorithm = result.algorithm;
  }
  return all;
}

}  // namespace burnish::cublaslt
