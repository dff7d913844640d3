#include "plan/engine_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mapped_file.h"
#include "plan/engine_layout.h"
#include "plan/plan_testing.h"

namespace burnish {

namespace fs = std::filesystem;
using testing::PlanMaker;

static Tensor tensor_of(std::vector<float> values) {
  return Tensor::of<float>(DType::f32, {static_cast<int64_t>(values.size())}, values);
}
static std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

/// A plan with a step of every kind and every field away from its default.
static Plan full_plan(const std::string& target) {
  PlanMaker m;
  m.plan.target = target;
  m.plan.precision = "fp16";
  const Slot n = m.symbol(), zero = m.constant(0), big = m.constant(int64_t{1} << 50), minus = m.constant(-7);
  const Slot one = m.constant(1), bytes = m.mul(n, one);
  m.next_stage();
  const Slot late = m.symbol(), chosen = m.emit(PlanMaker::Op::select, n, late, one);
  m.plan.host_arena = {zero, chosen};
  m.plan.device_arena = {bytes};
  const uint32_t x = m.input("x", DType::u8, {{n, "n", true, 2, 9}}, bytes);
  const uint32_t y =
      m.output("y", DType::i64, {{late, "late"}, {one, "1", false, 1, 1}}, bytes, Space::device);
  const uint32_t a = m.temporary(bytes, zero), b = m.temporary(chosen, big, 1);
  m.buffer(Buffer::Kind::constant, bytes, Space::device, 1);
  m.plan.constants.resize(2);
  m.plan.modules = {{.target = "sm_90", .source = 99}, {.target = "sm_90", .source = ~uint64_t{0}}};
  const Operand from = m.operand(a, DType::i32, {n, one}, {one, minus}, big),
                to = m.operand(b, DType::f32, {n, one}, {one, one}, zero);
  m.step("call", HostCall{"text of a node", {from, Operand{}}, {to}, {{0, 1, late}}}, 1);
  m.step("launch",
         KernelLaunch{.module = 1,
                      .function = "kernel",
                      .grid = {n, one, bytes},
                      .block = {128, 2, 3},
                      .shared_bytes = 99,
                      .arguments = {{.buffer = y, .element_size = 8, .slot = minus, .written = true},
                                    {.kind = KernelLaunch::Argument::Kind::integer, .slot = big},
                                    {.kind = KernelLaunch::Argument::Kind::tensor_map,
                                     .buffer = y,
                                     .element_size = 2,
                                     .slot = one,
                                     .written = true,
                                     .extents = {n, late},
                                     .strides = {bytes},
                                     .box = {64, 128}},
                                    {.kind = KernelLaunch::Argument::Kind::tensor_map,
                                     .buffer = y,
                                     .element_size = 2,
                                     .slot = one,
                                     .extents = {bytes, n, late, one},
                                     .strides = {one, n, bytes},
                                     .box = {64, 128},
                                     .windows = {{1, 2, 3, 4}, {5, 6, 7, 8}}}},
                      .starts_early = true})
      .work = {big, bytes, one};
  m.step("copy", Copy{from, to});
  m.step("read", ReadExtents{from, {{3, late}}}, 1);
  m.step("write", WriteExtents{to, {n, zero}});
  If branch{.condition = m.operand(x, DType::u8, {}, {}, zero)};
  branch.then_steps.push_back({"then", 0, SetExtents{{{late, n}}}});
  branch.else_steps.push_back({"else", 0, Fail{"no such shape"}});
  m.step("if", branch);
  m.step(
      "library",
      LibraryCall{"cublaslt", "a product", {{.buffer = y, .element_size = 2, .slot = one, .written = true}}});
  m.plan.plugins = {{"first", "1.0", "first.so"}, {"second", "2.0", "second.so"}};
  m.step("plugin", PluginCall{1, "example", "Op", "3", "[]", {from, Operand{}}, {to}, a});
  m.plan.outputs[0].order = {1, 0};
  m.plan.outputs[0].role = Port::Role::unfused;
  m.plan.max_branches = 3;
  m.plan.checks.push_back({n, one, 1, "they must be equal"});
  m.plan.host_reasons = {"node 'n' (Op): no device kernel"};
  m.plan.moves = {"node 'm' (Concat): operand 'x' is an input"};
  m.plan.fusion_reasons = {"node 'm' (Op): what it reads is read by others too"};
  m.plan.decisions = {{"n", "fast", "GPU", {{"fast", 1200, 3001, ""}, {"wrong", 1000, 0, "it differs"}}}};
  m.plan.profiles = {{{{{{2, 3, 9}}}}}, {{{{{4, 4, 4}}}}}};
  return m.finish();
}

/// Every field away from its default.
static RefitRecord full_record() {
  RefitRecord r;
  r.model = "an ONNX model";
  r.weights = {{"w", "conv", "KERNEL", DType::f16, {1, 3}, true, 77, true},
               {"alpha", "alpha", "CONSTANT", DType::f64, {}, true, 5}};
  r.half = DType::bf16;
  r.tf32 = r.debug_unfused = r.any_library = true;
  r.node_precisions = {{"head*", DType::bf16, 2}};
  r.decomposed_attention = {"attention*"};
  r.debug_tensors = {"c"};
  r.shapes = {{"x", {-1, 3}}};
  r.profiles = {{{{"x", {{1, 2, 8}, {3, 3, 3}}}}}};
  r.input_formats = {{"x", true, DType::f16, true}};
  r.output_formats = {{"y", true, DType::bf16, true}};
  r.workspace_bytes = 1 << 20;
  r.shared_bytes = 1 << 15;
  r.max_branches = 3;
  r.level = 3;
  r.kernels = "0123";
  r.libraries = {"cublaslt", "cudnn"};
  return r;
}

static EngineContents contents() {
  EngineContents c;
  c.identity = {"0.1.0", "mödel", {{"fp16", "1"}, {"shapes", ""}}, {{"nvrtc", "13.0"}}};
  const Tensor shared = tensor_of({1, 2, 3});
  c.targets.push_back(
      {full_plan("sm_90"), {shared, tensor_of({4})}, {bytes_of("cubin one"), bytes_of("cubin two")}});
  c.targets.push_back(
      {full_plan("sm_80"), {tensor_of({5, 6}), tensor_of({1, 2, 3})}, {bytes_of("cubin two"), bytes_of("")}});
  c.debug = "graph { }";
  return c;
}

/// It can be refitted: weight `w` is stored, `alpha` is not.
static EngineContents refittable(bool stripped) {
  EngineContents c = contents();
  c.refit = full_record();
  c.refit->stripped = stripped;
  c.weights = {Tensor::zeros(DType::f16, {1, 3}), Tensor()};
  return c;
}

static std::vector<std::byte> engine() {
  auto bytes = engine_bytes(contents());
  EXPECT_TRUE(bytes) << bytes.error().cause();
  return *bytes;
}

static Result<EngineFile> read(const std::vector<std::byte>& bytes) {
  // In a block of its own and of just this size, so that a sanitiser sees a read past its end.
  auto block = std::shared_ptr<std::byte[]>(new std::byte[bytes.size()]);
  std::copy(bytes.begin(), bytes.end(), block.get());
  return read_engine(std::shared_ptr<const std::byte>(block, block.get()), bytes.size());
}

/// A plan as the writer fills it in.
static Plan without_places(Plan plan) {
  for (ConstantData& c : plan.constants) c = {};
  for (KernelModule& m : plan.modules) m.offset = m.bytes = 0;
  return plan;
}

TEST(EngineFile, ComesBackAsItWas) {
  const EngineContents wrote = contents();
  const Result<EngineFile> file = read(engine());
  ASSERT_TRUE(file) << file.error().cause();
  EXPECT_EQ(file->identity.burnish_version, wrote.identity.burnish_version);
  EXPECT_EQ(file->identity.model, wrote.identity.model);
  EXPECT_EQ(file->identity.options, wrote.identity.options);
  EXPECT_EQ(file->identity.providers, wrote.identity.providers);
  EXPECT_EQ(file->debug, wrote.debug);
  ASSERT_EQ(file->plans.size(), 2u);
  for (size_t t = 0; t < 2; ++t) {
    const Plan& plan = file->plans[t];
    EXPECT_TRUE(without_places(plan) == without_places(wrote.targets[t].plan));
    for (size_t i = 0; i < plan.constants.size(); ++i) {
      const Tensor& constant = wrote.targets[t].constants[i];
      const auto got = file->constant(plan.constants[i]);
      ASSERT_EQ(got.size(), constant.byte_size());
      EXPECT_EQ(std::memcmp(got.data(), constant.bytes(), got.size()), 0);
    }
    for (size_t i = 0; i < plan.modules.size(); ++i)
      EXPECT_TRUE(std::ranges::equal(file->module(plan.modules[i]), wrote.targets[t].code[i]));
  }
}

TEST(EngineFile, EveryFieldOfAPlanCounts) {
  // A field that writing or reading forgets comes back with its default; here no field has it.
  Plan plan = full_plan("sm_90");
  const auto back = decode_plans(encode(std::vector<Plan>{plan}));
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->at(0) == plan);
  plan.buffers[0].index = 0;
  plan.buffers[0].kind = Buffer::Kind::constant;  // zero where the default is not
  std::get<Copy>(plan.steps[2].what).from.buffer = 0;
  std::get<KernelLaunch>(plan.steps[1].what).block[0] = 0;
  const auto zeros = decode_plans(encode(std::vector<Plan>{plan}));
  ASSERT_TRUE(zeros);
  EXPECT_TRUE(zeros->at(0) == plan);
}

TEST(EngineFile, WhatARefitNeedsComesBack) {
  for (const bool stripped : {false, true}) {
    const EngineContents wrote = refittable(stripped);
    const auto file = read(*engine_bytes(wrote));
    ASSERT_TRUE(file) << file.error().cause();
    EXPECT_EQ(file->is_stripped(), stripped);
    RefitRecord record = *file->refit;
    EXPECT_EQ(std::memcmp(file->tensor(record.weights[0]).bytes(), wrote.weights[0].bytes(), 6), 0);
    EXPECT_EQ(file->tensor(record.weights[1]).bytes(), nullptr);
    record.weights[0].offset = 0;
    EXPECT_TRUE(record == *wrote.refit);
  }
}

TEST(EngineFile, StrippedOfItsConstants) {
  const auto whole = read(*engine_bytes(refittable(false))), stripped = read(*engine_bytes(refittable(true)));
  ASSERT_TRUE(whole && stripped);
  EXPECT_EQ(stripped->constants.size(), 6u);  // the weight that is stored
  EXPECT_GT(whole->constants.size(), 6u);
  EXPECT_EQ(stripped->plans[0].constants[0].bytes, whole->plans[0].constants[0].bytes);
}

TEST(EngineFile, EqualConstantsAndCodeAreStoredOnce) {
  const Result<EngineFile> file = read(engine());
  ASSERT_TRUE(file);
  EXPECT_EQ(file->plans[0].constants[0].offset, file->plans[1].constants[1].offset);
  EXPECT_EQ(file->plans[0].modules[1].offset, file->plans[1].modules[0].offset);
  EXPECT_NE(file->plans[0].constants[1].offset, file->plans[1].constants[0].offset);
}

TEST(EngineFile, ConstantsAreAlignedToBeMapped) {
  const Result<EngineFile> file = read(engine());
  ASSERT_TRUE(file);
  EXPECT_EQ((file->constants.data() - file->bytes.get()) % 4096, 0);
  for (const Plan& plan : file->plans)
    for (const ConstantData& c : plan.constants) EXPECT_EQ(c.offset % 256, 0u);
}

TEST(EngineFile, TheSameContentsGiveTheSameBytes) { EXPECT_EQ(engine(), engine()); }

TEST(EngineFile, EveryTruncationIsAnError) {
  const std::vector<std::byte> whole = engine();
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto file = read({whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)});
    ASSERT_FALSE(file) << size;
    ASSERT_EQ(file.error().code(), Code::incompatible_engine);
    ASSERT_FALSE(file.error().remedy().empty());
  }
}

TEST(EngineFile, EveryFlippedBitIsAnError) {
  std::vector<std::byte> bytes = engine();
  auto flip = [&](size_t i, int bit) { bytes[i] ^= static_cast<std::byte>(1 << bit); };
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int bit = 0; bit < 8; bit += i < 512 ? 1 : 5) {
      flip(i, bit);
      const std::shared_ptr<const std::byte> held(bytes.data(), [](const std::byte*) {});
      const auto file = read_engine(held, bytes.size());
      // The minor version may differ, but the checksum covers it.
      ASSERT_FALSE(file) << "byte " << i << " bit " << bit;
      ASSERT_EQ(file.error().code(), Code::incompatible_engine);
      flip(i, bit);
    }
}

static std::string cause_of(const std::vector<std::byte>& bytes) {
  const auto file = read(bytes);
  return file ? "no error" : file.error().cause() + " / " + file.error().remedy();
}

TEST(EngineFile, MessagesSayWhatIsWrong) {
  std::vector<std::byte> bytes = engine();
  EXPECT_EQ(cause_of(bytes_of("ONNX, say")),
            "this is not an engine: it does not begin with 'BRN1' / name a file that 'burnish build' wrote");
  EXPECT_EQ(cause_of(bytes_of("ftrt and what is in a plan")),
            "this is a plan of TensorRT, which only the library that made it can load / build the engine "
            "again from the ONNX model");
  EXPECT_EQ(cause_of({bytes.begin(), bytes.begin() + 20}),
            "the engine is damaged: it ends within its header / copy the file again, or build it again");
  EXPECT_EQ(cause_of({bytes.begin(), bytes.end() - 4}),
            "the engine is damaged: it should have " + std::to_string(bytes.size()) + " bytes and has " +
                std::to_string(bytes.size() - 4) + " / copy the file again, or build it again");
  std::vector<std::byte> changed = bytes;
  changed.back() ^= std::byte{1};
  EXPECT_EQ(cause_of(changed),
            "the engine is damaged: section CNST has changed / copy the file again, or build it again");
  std::vector<std::byte> newer = bytes;
  newer[4] = std::byte{2};
  EXPECT_EQ(cause_of(newer),
            "the engine has format 2.7, and this version of Burnish reads 1.x / "
            "build the engine again with this version of Burnish");
}

/// Renames section `from` in the table, and seals the header again.
static std::vector<std::byte> with_tag(const char* from, const char* to, uint32_t flags, uint16_t minor) {
  using namespace engine_layout;
  std::vector<std::byte> bytes = engine();
  Header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  for (uint32_t i = 0; i < header.sections; ++i) {
    std::byte* at = bytes.data() + sizeof(Header) + i * sizeof(Section);
    if (std::memcmp(at, from, 4) != 0) continue;
    std::memcpy(at, to, 4);
    std::memcpy(at + 4, &flags, 4);
  }
  header.minor = minor;
  header.checksum = 0;
  std::memcpy(bytes.data(), &header, sizeof(header));
  header.checksum = XXH3_64bits(bytes.data(), sizeof(Header) + header.sections * sizeof(Section));
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

TEST(EngineFile, ANewerMinorVersionMayHaveMoreSections) {
  const auto file = read(with_tag("DBUG", "NEW!", 0, 7));
  ASSERT_TRUE(file) << file.error().cause();
  EXPECT_EQ(file->debug, "");
  EXPECT_EQ(cause_of(with_tag("DBUG", "NEW!", 1, 7)),
            "the engine needs section NEW!, which this version of Burnish does not know / "
            "use the version of Burnish that built it, or a newer one");
  EXPECT_EQ(cause_of(with_tag("CODE", "NEW!", 0, 7)),
            "the engine is damaged: it has no section CODE / copy the file again, or build it again");
}

TEST(EngineFile, ARecordForRefitsIsChecked) {
  EngineContents c = refittable(false);
  c.weights.pop_back();
  EXPECT_EQ(engine_bytes(c).error().cause(), "the weights of the engine and their record do not match");
  c = refittable(false);
  const std::string outside =
      "the engine is damaged: weight 'w' lies outside its section / copy the file again, or build it again";
  c.refit->weights[0].shape = {int64_t{1} << 40, 1 << 20, 1 << 20};
  EXPECT_EQ(cause_of(*engine_bytes(c)), outside);
  c.refit->weights[0].shape = {-1, 3};
  EXPECT_EQ(cause_of(*engine_bytes(c)), outside);
  c.refit->weights[0].shape = {1, 100};  // more than is stored
  EXPECT_EQ(cause_of(*engine_bytes(c)), outside);
  EXPECT_EQ(decode_refit_record("\x12").error().cause(),
            "the engine's record for refitting cannot be read: it is no record");
}

TEST(EngineFile, UnknownFieldsAreSkipped) {
  const std::string plans = encode(std::vector<Plan>{full_plan("cpu")});
  // Field 15: a varint, 8 bytes, and text.
  const auto back = decode_plans(std::string("\x78\x05\x79"
                                             "12345678"
                                             "\x7a\x02hi",
                                             15) +
                                 plans);
  ASSERT_TRUE(back) << back.error().cause();
  EXPECT_TRUE(back->at(0) == full_plan("cpu"));
}

TEST(EngineFile, DeepNestingIsAnError) {
  Plan plan;
  for (int depth = 0; depth < 200; ++depth) {
    If branch;
    branch.then_steps = std::move(plan.steps);
    plan.steps = {{"", 0, std::move(branch)}};
  }
  const auto back = decode_plans(encode(std::vector<Plan>{plan}));
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().cause(), "the engine's plan cannot be read: its records are nested too deep");
}

/// A folder of this test's own.
class EngineOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    std::random_device random;
    folder_ = fs::temp_directory_path() / ("engine_file_test_" + std::to_string(random()));
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const char* name = "m.engine") const { return (folder_ / name).string(); }
  size_t files() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {})); }
  fs::path folder_;
};

TEST_F(EngineOnDisk, IsTheSameAsInMemory) {
  ASSERT_TRUE(write_engine(path(), contents()));
  EXPECT_EQ(files(), 1u);
  const auto mapped = map_file(path());
  ASSERT_TRUE(mapped);
  const std::vector<std::byte> bytes = engine();
  ASSERT_EQ(mapped->size, bytes.size());
  EXPECT_EQ(std::memcmp(mapped->bytes.get(), bytes.data(), bytes.size()), 0);
  const auto opened = open_engine(path());
  EXPECT_TRUE(opened) << opened.error().cause();
}

TEST_F(EngineOnDisk, CancellingLeavesWhatWasThere) {
  std::ofstream(path()) << "old";
  const Result<> result = write_engine(path(), contents(), [] { return true; });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::cancelled);
  EXPECT_EQ(files(), 1u);
  std::string text;
  std::ifstream(path()) >> text;
  EXPECT_EQ(text, "old");
}

TEST_F(EngineOnDisk, AFullDiskLeavesNothing) {
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small = {1000, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Result<> result = write_engine(path(), contents());
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::io_error);
  EXPECT_EQ(result.error().cause(), "cannot write '" + path() + "': File too large");
  EXPECT_EQ(files(), 0u);
}

TEST_F(EngineOnDisk, AFolderThatIsNotThere) {
  const Result<> result = write_engine(path("no/m.engine"), contents());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().cause(), "cannot write '" + path("no/m.engine") + "': No such file or directory");
  EXPECT_EQ(result.error().remedy(), "make the folder first, or write elsewhere");
}

/// One engine of every minor version so far, which this version must read.
TEST(EngineFile, OldVersionsStillLoad) {
  for (const std::string version : {"1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"}) {
    const auto file = open_engine(std::string(BURNISH_GOLDEN_ENGINES) + "/" + version + ".engine");
    ASSERT_TRUE(file) << file.error().cause();
    Plan expected = full_plan("sm_90");
    EXPECT_EQ(file->refit.has_value(), version >= "1.5");
    if (version < "1.7") std::get<KernelLaunch>(expected.steps[1].what).arguments.pop_back();  // windows
    if (version < "1.6") std::get<KernelLaunch>(expected.steps[1].what).starts_early = false;
    if (version < "1.5") {
      expected.plugins.clear();
      expected.steps.pop_back();
      expected.max_branches = 0;
      expected.outputs[0].role = Port::Role::caller;
      for (KernelModule& module : expected.modules) module.source = 0;
      std::get<KernelLaunch>(expected.steps[1].what).arguments.pop_back();  // the tensor map
    }
    if (version < "1.4") expected.profiles.clear();
    if (version < "1.3") expected.steps.pop_back();
    if (version < "1.2") {
      for (Step& step : expected.steps) step.work = {};
      expected.outputs[0].order.clear();
    }
    if (version == "1.0") {
      expected.host_reasons.clear();
      expected.moves.clear();
      expected.fusion_reasons.clear();
      expected.decisions.clear();
    }
    ASSERT_EQ(file->plans.size(), 2u);
    EXPECT_TRUE(without_places(file->plans[0]) == without_places(expected)) << version;
    EXPECT_EQ(file->identity.providers.at("nvrtc"), "13.0");
  }
}

TEST(EngineFile, ContentsThatDoNotMatchAreRefused) {
  EngineContents c = contents();
  c.targets[0].constants.pop_back();
  const auto bytes = engine_bytes(c);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().cause(), "the plan for 'sm_90' and its constants or code do not match");
}

}  // namespace burnish
