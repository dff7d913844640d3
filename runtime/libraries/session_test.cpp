#include "runtime/libraries/session.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "runtime/libraries/cublaslt.h"

namespace burnish {
namespace {

using cublaslt::MatmulSession;
using cublaslt::Product;

/// The folder of stand-ins `name`, beside the one that holds this test program.
std::string folder(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "testing" / name;
}

/// A stand-in for the GPU, taken for the process's driver; its memory is the host's.
class Libraries : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { dlopen((folder("host_gpu") + "/libcuda.so.1").c_str(), RTLD_NOW); }
  void SetUp() override {
    auto opened = cuda::Device::open();
    ASSERT_TRUE(opened) << opened.error().cause();
    ASSERT_EQ(opened->info().name, "Host GPU");
    device.emplace(*std::move(opened));
    stream.emplace(*cuda::Stream::create(*device));
  }

  std::unique_ptr<MatmulSession> open(const std::string& name = "fake_libraries") {
    auto session = MatmulSession::open(*device, folder(name));
    EXPECT_TRUE(session) << session.error().cause();
    return *std::move(session);
  }
  static std::vector<Product> proposed(MatmulSession& session, const Product& product, int most,
                                       int64_t workspace) {
    auto all = session.candidates(product, most, workspace);
    EXPECT_TRUE(all) << all.error().cause();
    return all ? *std::move(all) : std::vector<Product>();
  }
  template <class... Floats>
  Result<> run(Session& session, const Product& product, Floats*... operands) {
    const auto routine = TRY(session.prepare(print(product)));
    const std::vector<CUdeviceptr> addresses = {reinterpret_cast<CUdeviceptr>(operands)...};
    return routine->enqueue(*stream, addresses);
  }

  std::optional<cuda::Device> device;
  std::optional<cuda::Stream> stream;
};

/// [2 x 3] times [3 x 2] by rows, which is the transposes' product by columns.
Product small() {
  Product p;
  p.dtype = DType::f32;
  p.m = 2, p.n = 2, p.k = 3;
  p.lda = 2, p.ldb = 3, p.ldd = 2;
  return p;
}

TEST(ProductText, ComesBackAsItWas) {
  Product p = small();
  p.dtype = DType::bf16;
  p.tf32 = p.transpose_a = p.bias = true;
  p.batch = 3, p.stride_a = 1, p.stride_b = 2, p.stride_d = 4;
  p.alpha = 0.1f, p.beta = -2;
  p.activation = Product::Activation::gelu;
  p.alignment = 2;
  p.version = "13.1.0";
  p.workspace = 1 << 20;
  p.algorithm = {{1, 0, 0xabcdef0123456789}};
  EXPECT_EQ(print(p),
            "13.1.0 w1048576 1-0-abcdef0123456789 bf16 m=2 n=2 k=3 lda=2 ldb=3 ldd=2 batch=3 stride_a=1 "
            "stride_b=2 stride_d=4 alignment=2 tf32=1 transpose_a=1 bias=1 alpha=0x1.99999ap-4 beta=-0x1p+1 "
            "activation=gelu");
  const auto again = cublaslt::parse(print(p));
  ASSERT_TRUE(again) << again.error().cause();
  EXPECT_EQ(print(*again), print(p));
}

TEST(ProductText, AnythingElseIsRefused) {
  for (const char* text :
       {"", "13.1.0", "13.1.0 w0 1 i8 m=1 n=1 k=1", "13.1.0 w0 1 f16", "13.1.0 w0 1-x f16 m=1 n=1 k=1",
        "13.1.0 w0 1 f16 m=1 n=1 k=1 speed=9", "13.1.0 0 1 f16 m=1 n=1 k=1"}) {
    const auto p = cublaslt::parse(text);
    ASSERT_FALSE(p) << text;
    EXPECT_EQ(p.error().cause(), "'" + std::string(text) + "' describes no product for cuBLASLt");
  }
}

TEST_F(Libraries, HeuristicsProposeAlgorithmsWithinTheWorkspace) {
  const auto session = open();
  EXPECT_EQ(session->version(), "13.1.0");
  auto names = [&](int most, int64_t workspace) {
    std::vector<std::string> list;
    for (const Product& p : proposed(*session, small(), most, workspace)) list.push_back(print_algorithm(p));
    return list;
  };
  EXPECT_EQ(names(8, 1024), (std::vector<std::string>{"13.1.0 w0 1fc34-1", "13.1.0 w512 1fc34-2"}));
  EXPECT_EQ(names(1, 1024).size(), 1u);
  EXPECT_EQ(names(8, 100).size(), 1u);
}

TEST_F(Libraries, AWorkTheyHaveNoAlgorithmForHasNoCandidates) {
  Product odd = small();
  odd.lda = 3;
  EXPECT_TRUE(proposed(*open(), odd, 8, 0).empty());
}

TEST_F(Libraries, AProductWithBiasResidualAndActivation) {
  const auto session = open();
  Product p = proposed(*session, small(), 1, 0).front();
  const float w[] = {1, 2, 3, 4, 5, 6}, x[] = {1, 0, -1, 0, 1, 0}, bias[] = {10, -1},
              residual[] = {1, 2, 3, 4};
  float y[4];
  ASSERT_TRUE(run(*session, p, w, x, y));
  EXPECT_EQ(std::vector(y, y + 4), (std::vector<float>{-4, -4, 3, 4}));
  p.bias = true;
  p.beta = 1;
  p.activation = Product::Activation::relu;
  ASSERT_TRUE(run(*session, p, w, x, residual, y, bias));
  EXPECT_EQ(std::vector(y, y + 4), (std::vector<float>{7, 0, 16, 7}));
  p.alpha = 2;
  p.transpose_a = true;
  p.lda = 3;
  p.beta = 0;
  ASSERT_TRUE(run(*session, p, w, x, y, bias));
  EXPECT_EQ(std::vector(y, y + 4), (std::vector<float>{6, 0, 14, 9}));
}

TEST_F(Libraries, AnAlgorithmOfAnotherVersionIsReplaced) {
  Product p = proposed(*open(), small(), 2, 512).back();
  const auto newer = open("newer_libraries");
  ASSERT_EQ(newer->version(), "13.2.0");
  const float w[] = {1, 2, 3, 4, 5, 6}, x[] = {1, 0, -1, 0, 1, 0};
  float y[4], workspace[128];
  const Result<> done = run(*newer, p, w, x, y, workspace);
  ASSERT_TRUE(done) << done.error().cause();
  EXPECT_EQ(y[3], 4);
  p.lda = 3;
  const auto refused = newer->prepare(print(p));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cause(),
            "cuBLASLt 13.2.0 has no algorithm for a product that 13.1.0 had one for");
}

TEST_F(Libraries, WhatTheLibraryRefusesNamesTheCall) {
  const auto session = open();
  Product p = proposed(*session, small(), 1, 0).front();
  p.algorithm.data[0] = 5;
  float any[8] = {};
  const Result<> done = run(*session, p, any, any, any);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().cause(), "cublasLtMatmul: not supported");
  EXPECT_EQ(run(*session, p, any, any).error().cause(),
            "a product for cuBLASLt has another number of operands");
}

TEST_F(Libraries, WhereTheyAreMissing) {
  const auto session = Session::open("cublaslt", *device, "/nowhere");
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().cause(),
            "libcublasLt.so.13, NVIDIA's library of matrix products, cannot be opened from /nowhere: "
            "/nowhere/libcublasLt.so.13: cannot open shared object file: No such file or directory");
  EXPECT_EQ(session.error().remedy(),
            "install the CUDA 13 toolkit or the PyPI package nvidia-cublas where the loader finds it "
            "(LD_LIBRARY_PATH), or build the engine with --libraries none");
  EXPECT_EQ(Session::open("miopen", *device).error().cause(),
            "this version of Burnish knows no library 'miopen'");
}

}  // namespace
}  // namespace burnish
