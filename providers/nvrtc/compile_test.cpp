#include "providers/nvrtc/compile.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <thread>

namespace burnish::nvrtc {

static const char* const adds_one = R"(
extern "C" __global__ void kernel(float* data, int count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) data[i] += 1.0f;
})";

static Compiler compiler() {
  Result<Compiler> opened = Compiler::open();
  EXPECT_TRUE(opened) << opened.error().cause();
  return *opened;
}

/// The architecture number in the ELF header of a cubin: bits 8-15 of e_flags since CUDA 13.
static int architecture_in(const std::vector<std::byte>& cubin) {
  uint32_t flags;
  std::memcpy(&flags, cubin.data() + 48, sizeof flags);
  return static_cast<int>(flags >> 8 & 0xff);
}

TEST(Compile, EveryArchitecture) {
  for (const Architecture& architecture : architectures()) {
    const auto cubin = compiler().compile({"adds_one", adds_one, {}}, architecture.target);
    ASSERT_TRUE(cubin) << cubin.error().cause();
    ASSERT_GT(cubin->size(), 64u);
    EXPECT_EQ(std::memcmp(cubin->data(),
                          "\x7f"
                          "ELF",
                          4),
              0);
    EXPECT_EQ("sm_" + std::to_string(architecture_in(*cubin)), architecture.target);
  }
}

TEST(Compile, ArchitectureByEitherName) {
  EXPECT_EQ(architecture_named("sm_90")->code, "sm_90a");
  EXPECT_EQ(architecture_named("sm_100f")->target, "sm_100");
  const auto unknown = compiler().compile({"adds_one", adds_one, {}}, "sm_75");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), Code::unsupported);
  EXPECT_EQ(unknown.error().cause(), "no GPU architecture 'sm_75' is known");
  EXPECT_EQ(unknown.error().remedy(), "use one of sm_80, sm_86, sm_89, sm_90, sm_100, sm_120");
}

TEST(Compile, SameProgramSameBytes) {
  const auto first = compiler().compile({"one", adds_one, {}}, "sm_90");
  const auto second = compiler().compile({"another name", adds_one, {}}, "sm_90");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
}

TEST(Compile, OptionsReachTheCompiler) {
  const Program program{
      "defined", "#if VALUE != 7\n#error no\n#endif\n" + std::string(adds_one), {"-DVALUE=7"}};
  EXPECT_TRUE(compiler().compile(program, "sm_80"));
}

TEST(Compile, BrokenKernelTellsTheLog) {
  const auto cubin = compiler().compile(
      {"conv2d_17", "extern \"C\" __global__ void kernel(float* p) {\n  p[0] = missing;\n}\n", {}}, "sm_90");
  ASSERT_FALSE(cubin);
  EXPECT_EQ(cubin.error().code(), Code::internal);
  EXPECT_EQ(cubin.error().cause(),
            "kernel 'conv2d_17' does not compile for sm_90a: "
            "kernel.cu(2): error: identifier \"missing\" is undefined\n"
            "    p[0] = missing;\n"
            "           ^\n\n"
            "1 error detected in the compilation of \"kernel.cu\".");
}

TEST(Compile, LongLogIsCut) {
  std::string text;
  for (int i = 0; i < 90; ++i) text += "int f" + std::to_string(i) + "() { return missing; }\n";
  const auto cubin = compiler().compile({"many", text, {}}, "sm_80");
  ASSERT_FALSE(cubin);
  EXPECT_LT(cubin.error().what().size(), 4200u);
  EXPECT_TRUE(cubin.error().what().ends_with("\n…"));
}

TEST(Compile, NoHeaderFromTheMachine) {
  for (const char* header : {"<cuda_fp16.h>", "<cstdint>", "\"base/result.h\""})
    EXPECT_FALSE(compiler().compile({"includes", "#include " + std::string(header) + "\n", {}}, "sm_80"))
        << header;
}

TEST(Compile, ManyThreadsAtOnce) {
  const Compiler shared = compiler();
  std::vector<std::vector<std::byte>> cubins(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < cubins.size(); ++i)
    threads.emplace_back([&, i] {
      Program program{"threaded", adds_one, {}};
      if (i % 2) program.text += "// another text\n__constant__ int extra;\n";
      if (auto cubin = shared.compile(program, "sm_89")) cubins[i] = *std::move(cubin);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(cubins[0].empty());
  EXPECT_FALSE(cubins[1].empty());
  EXPECT_NE(cubins[0], cubins[1]);
  for (size_t i = 2; i < cubins.size(); ++i) EXPECT_EQ(cubins[i], cubins[i % 2]);
}

TEST(Compile, VersionIsComplete) {
  const auto version = compiler().version();
  ASSERT_TRUE(version) << version.error().cause();
  EXPECT_TRUE(version->starts_with("13."));
  EXPECT_EQ(std::count(version->begin(), version->end(), '.'), 2) << *version;
}

TEST(Open, FromItsOwnFolder) {
  const std::string folder = std::filesystem::path(compiler().path()).parent_path();
  const auto opened = Compiler::open(folder);
  ASSERT_TRUE(opened) << opened.error().cause();
  EXPECT_EQ(opened->path(), compiler().path());
}

TEST(Open, MissingFolder) {
  const auto opened = Compiler::open("/nowhere/lib");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::io_error);
  EXPECT_EQ(opened.error().cause(),
            "libnvrtc.so.13, the CUDA runtime compiler, cannot be opened from /nowhere/lib: "
            "/nowhere/lib/libnvrtc.so.13: cannot open shared object file: No such file or directory");
  EXPECT_EQ(opened.error().remedy(),
            "install the CUDA 13.0 toolkit or the PyPI package nvidia-cuda-nvrtc 13.0, "
            "or name the folder that holds libnvrtc.so.13");
}

}  // namespace burnish::nvrtc
